// What drawing the stage costs in a browser. Started by stage.go, which makes
// a table of the lines of JSON printed here.
//
// A frame's cost is the main thread's: from the first animation callback to
// the first task after style, layout and paint. Beside it stands a bare
// painter: the very changes that the stage made to its drawing in each frame,
// written down and made again in a page that does nothing else.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { gunzipSync, gzipSync } from "node:zlib";
import { chromium } from "@playwright/test";

const { values: o } = parseArgs({
  options: {
    binary: { type: "string" },
    recording: { type: "string" },
    dir: { type: "string" },
    minutes: { type: "string", default: "0" },
    runs: { type: "string", default: "5" },
  },
});
const say = (row) => console.log(JSON.stringify(row));

/* Recordings */

const lines = gunzipSync(readFileSync(o.recording)).toString("utf8").trim().split("\n");
const header = JSON.parse(lines[0]);
const recorded = lines.slice(1, -1).map((l) => JSON.parse(l));

function write(name, events, carried) {
  const numbered = events.map(({ seq: _, ...e }, i) => ({ seq: i + 1, ...e }));
  const body = `${[{ ...header, events: events.length, carried, last: events.length }, ...numbered].map((x) => JSON.stringify(x)).join("\n")}\n`;
  const end = { end: { events: events.length, sha256: createHash("sha256").update(body).digest("hex") } };
  const file = join(o.dir, name);
  writeFileSync(file, gzipSync(`${body}${JSON.stringify(end)}\n`));
  return file;
}

/** The recording with each event told times over at the same moment, and so many more pods that are simply there. */
function crowded(name, times, pods) {
  const before = recorded.slice(0, header.carried);
  const model = before.find((e) => e.object?.resource === "pods" && e.object.name?.startsWith("crowd"));
  const extra = Array.from({ length: pods }, (_, i) => {
    const text = JSON.stringify(model)
      .replaceAll(model.object.uid, `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`)
      .replaceAll(model.object.name, `more-${i}`);
    return JSON.parse(text.replace(/"nodeName":"node-\d"/, `"nodeName":"node-${(i % 3) + 1}"`));
  });
  const after = recorded
    .slice(header.carried)
    .flatMap((e) => Array.from({ length: e.kind === "span" ? 1 : times }, () => ({ ...e, causes: [] })));
  return write(name, [...before, ...extra, ...after], before.length + extra.length);
}

async function replay(file) {
  const child = spawn(o.binary, ["replay", file, "--addr", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "ignore"] });
  for await (const line of createInterface(child.stdout)) {
    const url = /^Kubestage is at (\S+)$/.exec(line)?.[1];
    if (url) return { url, stop: () => child.kill("SIGINT") };
  }
  throw new Error(`${o.binary} replay ${file} ended`);
}

/* In the page */

/** Counts the main thread's time of each frame that draws something. */
function watchFrames() {
  const raf = window.requestAnimationFrame.bind(window);
  const channel = new MessageChannel();
  let began = 0;
  window.frames_ = [];
  channel.port1.onmessage = () => {
    window.frames_.push([began, performance.now() - began]);
    began = 0;
  };
  window.requestAnimationFrame = (fn) =>
    raf((now) => {
      if (began === 0) {
        began = performance.now();
        channel.port2.postMessage(0);
      }
      fn(now);
    });
}

/** Writes down what changes in the stage's drawing, frame by frame. */
function writeDown() {
  const svg = document.querySelector("svg.stage-svg");
  const ids = new Map();
  const nodes = (root, out = []) => {
    out.push(root);
    for (const c of root.childNodes) nodes(c, out);
    return out;
  };
  let next = 0;
  const learn = (root) => {
    const all = nodes(root);
    for (const n of all) ids.set(n, next++);
    return all.length;
  };
  const html = svg.outerHTML;
  learn(svg);
  const frames = [];
  const observer = new MutationObserver((records) => {
    const ops = [];
    for (const r of records) {
      const id = ids.get(r.target);
      if (id === undefined) continue; // inside what was added in this frame, and told with it
      if (r.type === "attributes") ops.push(["a", id, r.attributeName, r.target.getAttribute(r.attributeName)]);
      else if (r.type === "characterData") ops.push(["t", id, r.target.data]);
      else {
        for (const n of r.removedNodes) if (ids.has(n)) ops.push(["r", ids.get(n)]);
        for (const n of r.addedNodes) {
          const where = ids.get(r.nextSibling) ?? -1;
          if (ids.has(n)) ops.push(["m", ids.get(n), id, where]);
          else {
            const first = next;
            learn(n);
            ops.push(["n", first, n.nodeType === 3 ? n.data : n.outerHTML, id, where]);
          }
        }
      }
    }
    frames.push(ops);
  });
  observer.observe(svg, { subtree: true, childList: true, attributes: true, characterData: true });
  window.writtenDown_ = () => {
    observer.disconnect();
    return { html, frames };
  };
}

/** The bare painter: makes the changes again, and nothing else. */
async function paint({ html, frames }) {
  const box = document.querySelector('[data-mount="stage"]');
  box.innerHTML = html;
  const list = [];
  const learn = (n) => {
    list.push(n);
    for (const c of n.childNodes) learn(c);
  };
  learn(box.firstElementChild);
  // What is added is made before, as the stage's own elements exist before.
  const made = frames.map((ops) =>
    ops.map((op) => {
      if (op[0] !== "n") return op;
      if (!op[2].startsWith("<")) return [...op, document.createTextNode(op[2])];
      const holder = document.createElementNS("http://www.w3.org/2000/svg", "g");
      holder.innerHTML = op[2];
      return [...op, holder.firstChild];
    }),
  );
  window.frames_.length = 0;
  for (const ops of made) {
    await new Promise((done) =>
      requestAnimationFrame(() => {
        for (const op of ops) {
          if (op[0] === "a")
            op[3] === null ? list[op[1]].removeAttribute(op[2]) : list[op[1]].setAttribute(op[2], op[3]);
          else if (op[0] === "t") list[op[1]].data = op[2];
          else if (op[0] === "r") list[op[1]].remove();
          else if (op[0] === "m") list[op[2]].insertBefore(list[op[1]], list[op[3]] ?? null);
          else {
            let i = op[1];
            const place = (n) => {
              list[i++] = n;
              for (const c of n.childNodes) place(c);
            };
            place(op[5]);
            list[op[3]].insertBefore(op[5], list[op[4]] ?? null);
          }
        }
        done();
      }),
    );
  }
  await new Promise((done) => setTimeout(done, 50));
  return window.frames_.map(([, cost]) => cost);
}

const p = (list, q) =>
  [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q * list.length))] ?? Number.NaN;
const ms = (n) => `${n.toFixed(1)} ms`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-precise-memory-info",
  ],
});

/** The main thread's computing time so far, in ms: what other programs do meanwhile is not in it. */
async function computing(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  return async () => {
    const { metrics } = await cdp.send("Performance.getMetrics");
    return metrics.find((m) => m.name === "TaskDuration").value * 1000;
  };
}

async function open(url, path = "/en/#at=1") {
  const page = await browser.newPage({ viewport: { width: 1920, height: 1080 } });
  await page.addInitScript(watchFrames);
  await page.goto(url + path);
  await page.waitForFunction(() => window.kubestage?.log().last > 0 && window.kubestage.idle(), undefined, {
    timeout: 60_000,
  });
  return page;
}

/** Plays the stretch with the most tokens, and again with the bare painter. */
async function measureFrames(url, what, wantTokens) {
  const page = await open(url);
  await page.evaluate(() => window.kubestage.speed(1));
  // The busiest stretch: where most foreground events lie in a second of the cluster's time.
  const from = await page.evaluate(() => {
    const k = window.kubestage;
    const f = k.log().foreground;
    const when = f.map((s) => Date.parse(k.event(s).end));
    let best = [0, 0];
    for (let i = 0, j = 0; i < f.length; i++) {
      while (when[i] - when[j] > 1500) j++;
      if (i - j > best[0]) best = [i - j, j];
    }
    return f[best[1]];
  });
  await page.evaluate((s) => window.kubestage.seek(s), from);
  await page.waitForTimeout(300);
  const ours = await computing(page);
  const oursBefore = await ours();
  const { costs, fps, tokens, pods } = await page.evaluate(async () => {
    window.frames_.length = 0;
    let tokens = 0;
    window.kubestage.play();
    const began = performance.now();
    await new Promise((done) => setTimeout(done, 5000));
    const took = performance.now() - began;
    window.kubestage.pause();
    tokens = document.querySelectorAll("svg.stage-svg [data-token]").length;
    return {
      costs: window.frames_.map(([, cost]) => cost),
      fps: (window.frames_.length / took) * 1000,
      tokens,
      pods: window.kubestage.state().pods.length,
    };
  });
  const oursEach = ((await ours()) - oursBefore) / costs.length;
  // Once more, to write it down: watching the drawing would count against it.
  await page.evaluate((s) => window.kubestage.seek(s), from);
  await page.waitForTimeout(300);
  await page.evaluate(writeDown);
  await page.evaluate(async () => {
    window.kubestage.play();
    await new Promise((done) => setTimeout(done, 5000));
    window.kubestage.pause();
  });
  const written = await page.evaluate(() => window.writtenDown_());
  await page.close();
  const most = Math.max(...written.frames.map((f) => f.filter((op) => op[2] === "transform").length));
  // The page's own policy forbids making elements out of text.
  const bare = await browser.newPage({ viewport: { width: 1920, height: 1080 }, bypassCSP: true });
  await bare.addInitScript(watchFrames);
  await bare.goto(`${url}/en/#at=1`);
  await bare.waitForFunction(() => window.kubestage?.idle());
  await bare.evaluate(() => window.kubestage.pause());
  const cpu = await computing(bare);
  const bareBefore = await cpu();
  const theirs = await bare.evaluate(paint, written);
  const bareEach = ((await cpu()) - bareBefore) / theirs.length;
  await bare.close();
  const ratio = p(costs, 0.95) / p(theirs, 0.95);
  say({
    name: `a frame's main thread, p95: ${what} (${pods} pods, up to ${most} tokens moving)`,
    value: `${ms(p(costs, 0.95))} (p50 ${ms(p(costs, 0.5))})`,
    beside: `${ms(p(theirs, 0.95))} (p50 ${ms(p(theirs, 0.5))})`,
    ratio,
    goal: 1.2,
  });
  say({
    name: `  computing for a frame, mean: ${what}`,
    value: ms(oursEach),
    beside: ms(bareEach),
    ratio: oursEach / bareEach,
  });
  say({
    name: `  frames a second: ${what}`,
    value: `${fps.toFixed(0)} (${costs.length} frames, ${tokens} tokens at the end${most < wantTokens ? `, wanted ${wantTokens}` : ""})`,
  });
}

async function measureScrub(url, what) {
  const page = await open(url);
  const costs = await page.evaluate(async () => {
    const k = window.kubestage;
    k.pause();
    const { first, last } = k.log();
    window.frames_.length = 0;
    for (const back of [false, true]) {
      for (let i = 0; i <= 240; i++) {
        const u = back ? 1 - i / 240 : i / 240;
        k.seek(Math.round(first + (last - first) * u));
        await new Promise(requestAnimationFrame);
      }
    }
    await new Promise((done) => setTimeout(done, 50));
    return window.frames_.map(([, cost]) => cost);
  });
  say({
    name: `longest frame of a scrub end to end and back: ${what}`,
    value: `${ms(Math.max(...costs))} (p95 ${ms(p(costs, 0.95))})`,
    most: 50,
    is: Math.max(...costs),
  });
  await page.close();
}

async function measureHeap(url) {
  const page = await open(url);
  const cdp = await page.context().newCDPSession(page);
  const heap = async () => {
    await cdp.send("HeapProfiler.collectGarbage");
    return (await cdp.send("Runtime.getHeapUsage")).usedSize;
  };
  const until = Date.now() + Math.max(20_000, Number(o.minutes) * 60_000);
  const loop = () =>
    page.evaluate(async () => {
      const k = window.kubestage;
      k.speed(1);
      const { first, last } = k.log();
      for (let i = 0; i <= 60; i++) {
        k.seek(Math.round(first + ((last - first) * i) / 60));
        k.play();
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
      }
      k.pause();
    });
  await loop();
  await loop();
  const before = await heap();
  let loops = 0;
  while (Date.now() < until) {
    await loop();
    loops++;
  }
  const after = await heap();
  const grown = after / before;
  say({
    name: `heap after ${loops} more replays of the recording`,
    value: `${(after / 2 ** 20).toFixed(1)} MiB`,
    beside: `${(before / 2 ** 20).toFixed(1)} MiB before`,
    ratio: grown,
    goal: 1.1,
  });
  await page.close();
}

async function measureVisit(url) {
  const ours = [];
  const theirs = [];
  let bytes = 0;
  const strangers = new Set();
  for (let i = 0; i < Number(o.runs); i++) {
    for (const [path, list] of [
      ["/assets/bare", theirs],
      ["/en/", ours],
    ]) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
      const page = await context.newPage();
      page.on("request", (r) => {
        const { hostname, protocol } = new URL(r.url());
        if (hostname !== "127.0.0.1" && !["data:", "blob:"].includes(protocol)) strangers.add(hostname);
      });
      if (path === "/assets/bare")
        await page.route("**/assets/bare", (r) =>
          r.fulfill({ contentType: "text/html", body: "<!doctype html><title>bare</title><p>One line.</p>" }),
        );
      await page.goto(url + path, { waitUntil: "commit" });
      if (list === ours) {
        await page.waitForFunction(
          () => document.querySelector("svg.stage-svg [data-part] text") && document.fonts.status === "loaded",
        );
        list.push(await page.evaluate(() => performance.now()));
        bytes = await page.evaluate(() =>
          performance
            .getEntriesByType("resource")
            .filter((r) => r.name.endsWith(".js"))
            .reduce((n, r) => n + r.encodedBodySize, 0),
        );
      } else {
        await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
        list.push(await page.evaluate(() => performance.now()));
      }
      await context.close();
    }
  }
  say({
    name: "first visit until the stage is drawn with its fonts; beside: a page of one line",
    value: ms(p(ours, 0.5)),
    beside: ms(p(theirs, 0.5)),
    ratio: p(ours, 0.5) / p(theirs, 0.5),
    most: 1000,
    is: p(ours, 0.5),
  });
  say({
    name: "script on first load, compressed",
    value: `${(bytes / 1024).toFixed(1)} KiB`,
    most: 150,
    is: bytes / 1024,
  });
  say({ name: "requests that leave this machine", value: `${strangers.size}`, most: 0, is: strangers.size });
}

try {
  const plain = await replay(o.recording);
  await measureVisit(plain.url);
  await measureScrub(plain.url, `${recorded.length} events`);
  await measureHeap(plain.url);
  await measureFrames(plain.url, "as recorded", 0);
  plain.stop();
  for (const [what, times, pods, tokens] of [
    ["a busy cluster", 3, 0, 300],
    ["2,000 pods", 3, 1710, 300],
  ]) {
    const d = await replay(crowded(`${pods}.kubestage`, times, pods));
    await measureFrames(d.url, what, tokens);
    if (pods) await measureScrub(d.url, what);
    d.stop();
  }
} finally {
  await browser.close();
}
