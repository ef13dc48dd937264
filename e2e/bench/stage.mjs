// What drawing the stage costs in a browser. Started by stage.go, which makes
// a table of the lines of JSON printed here.
//
// A frame's cost is what the main thread computed for it, from the first
// animation callback to the end of style, layout and paint, as the browser's own
// trace has it: what other programs do meanwhile is not in it. Beside it stand
// two bare painters, in a page of the same size that does nothing else: one makes
// the very changes again that the stage made to its drawing in each frame, the
// other only those to tokens and pods, without a word. All three see the same
// frames: a frame is a sixtieth of a second of viewing, however long it took.
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
    parts: { type: "string", default: "visit,scrub,heap,frames" },
  },
});
/** How long a stretch is played, and how often in turn with the bare painters. */
const FRAMES = 180;
const TURNS = 2;
const parts = new Set(o.parts.split(","));
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

/** How far apart the events of a crowd are, in ms: as close as the stage shows events at all. */
const EVERY = 1;

/**
 * What the recording's requests and writes would be if they came in one crowd:
 * real events, one after the other without a pause and again from the first,
 * and so many more pods that are simply there.
 */
function crowded(name, foreground, pods) {
  const before = recorded.slice(0, header.carried);
  const model = before.find((e) => e.object?.resource === "pods" && e.object.name?.startsWith("crowd"));
  const extra = Array.from({ length: pods }, (_, i) => {
    const text = JSON.stringify(model)
      .replaceAll(model.object.uid, `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`)
      .replaceAll(model.object.name, `more-${i}`);
    return JSON.parse(text.replace(/"nodeName":"node-\d"/, `"nodeName":"node-${(i % 3) + 1}"`));
  });
  const shown = new Set(foreground);
  const crowd = recorded.slice(header.carried).filter((e) => shown.has(e.seq) && ["request", "etcd"].includes(e.kind));
  const began = Date.parse(crowd[0].start);
  const after = Array.from({ length: 2 * FRAMES * 17 }, (_, i) => {
    const at = new Date(began + i * EVERY).toISOString();
    return { ...crowd[i % crowd.length], causes: [], start: at, end: at };
  });
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

/** Lets every frame be a sixtieth of a second after the one before. */
function countFrames() {
  const raf = window.requestAnimationFrame.bind(window);
  let shown = 0;
  window.frames_ = 0;
  window.requestAnimationFrame = (fn) =>
    raf((now) => {
      if (now !== shown) window.frames_++;
      shown = now;
      fn((window.frames_ * 1000) / 60);
    });
}

/** Plays so many frames. */
async function playFrames(most) {
  const began = performance.now();
  const until = window.frames_ + most;
  let tokens = 0;
  window.kubestage.play();
  while (window.frames_ < until) {
    await new Promise(requestAnimationFrame);
    if (window.frames_ % 20 === 0)
      tokens = Math.max(tokens, document.querySelectorAll("svg.stage-svg [data-token]").length);
  }
  window.kubestage.pause();
  return { took: performance.now() - began, tokens };
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
  const isShape = (n) => Boolean((n.closest ? n : n.parentElement)?.closest(".token, .pod"));
  const observer = new MutationObserver((records) => {
    const ops = [];
    for (const r of records) {
      const id = ids.get(r.target);
      if (id === undefined) continue; // inside what was added in this frame, and told with it
      const shape = isShape(r.target);
      const name = r.attributeName;
      if (r.type === "attributes") ops.push({ op: "set", id, name, value: r.target.getAttribute(name), shape });
      else if (r.type === "characterData") ops.push({ op: "text", id, value: r.target.data, shape });
      else {
        for (const n of r.removedNodes) if (ids.has(n)) ops.push({ op: "remove", id: ids.get(n), shape: isShape(n) });
        for (const n of r.addedNodes) {
          const where = { to: id, before: ids.get(r.nextSibling) ?? -1, shape: isShape(n) };
          if (ids.has(n)) ops.push({ op: "move", id: ids.get(n), ...where });
          else {
            const first = next;
            learn(n);
            ops.push({ op: "add", id: first, html: n.nodeType === 3 ? n.data : n.outerHTML, ...where });
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

/** A bare painter: makes the changes again, or only those to shapes, and nothing else. */
async function paint({ html, frames, onlyShapes }) {
  const box = document.querySelector('[data-mount="stage"]');
  box.innerHTML = html;
  const list = [];
  const learn = (n, id) => {
    list[id++] = n;
    for (const c of n.childNodes) id = learn(c, id);
    return id;
  };
  learn(box.firstElementChild, 0);
  // What is added is read before, and copied when its time comes.
  const holder = document.createElementNS("http://www.w3.org/2000/svg", "g");
  const read = (text) => {
    if (!text.startsWith("<")) return document.createTextNode(text);
    holder.innerHTML = text;
    return holder.firstChild;
  };
  // A painter has places as numbers, whoever finds them.
  const numbers = (o) => {
    const at = o.name === "transform" && /^translate\((\S+) (\S+)\)$/.exec(o.value);
    return at ? { op: "place", id: o.id, x: Number(at[1]), y: Number(at[2]) } : o;
  };
  const made = frames.map((ops) =>
    ops.filter((o) => o.shape || !onlyShapes).map((o) => (o.op === "add" ? { ...o, node: read(o.html) } : numbers(o))),
  );
  const put = (n, o) => list[o.to]?.insertBefore(n, list[o.before]?.parentNode === list[o.to] ? list[o.before] : null);
  const act = {
    place: (o) => list[o.id]?.setAttribute("transform", `translate(${o.x} ${o.y})`),
    set: (o) => (o.value === null ? list[o.id]?.removeAttribute(o.name) : list[o.id]?.setAttribute(o.name, o.value)),
    text: (o) => {
      if (list[o.id]) list[o.id].data = o.value;
    },
    remove: (o) => list[o.id]?.remove(),
    move: (o) => list[o.id] && put(list[o.id], o),
    add: (o) => {
      const n = o.node.cloneNode(true);
      learn(n, o.id);
      put(n, o);
    },
  };
  const began = performance.now();
  for (const ops of made)
    await new Promise((done) =>
      requestAnimationFrame(() => {
        for (const o of ops) act[o.op](o);
        done();
      }),
    );
  return { took: performance.now() - began };
}

const p = (list, q) =>
  [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q * list.length))] ?? Number.NaN;
const ms = (n) => `${n.toFixed(1)} ms`;

const { executablePath, args } = JSON.parse(readFileSync(new URL("../chromium.json", import.meta.url), "utf8"));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? executablePath,
  args: [...args, "--enable-precise-memory-info"],
});

/** What the page's main thread did for each frame while run ran, in ms: computing, and on the clock. */
async function framesOf(page, run) {
  await page.bringToFront();
  await browser.startTracing(page, { categories: ["cc"] });
  const result = await run();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const threads = new Map();
  for (const e of traceEvents) {
    if (e.name !== "ProxyMain::BeginMainFrame" || e.ph !== "X") continue;
    const thread = `${e.pid} ${e.tid}`;
    threads.set(thread, [...(threads.get(thread) ?? []), e]);
  }
  const frames = [...threads.values()].sort((a, b) => b.length - a.length)[0] ?? [];
  return { ...result, computing: frames.map((e) => e.tdur / 1000), clock: frames.map((e) => e.dur / 1000) };
}

async function open(url, path = "/en/#at=1") {
  // The page's own policy forbids making elements out of text, which the bare painters do.
  const page = await browser.newPage({ viewport: { width: 1920, height: 1080 }, bypassCSP: true });
  await page.addInitScript(countFrames);
  await page.goto(url + path);
  await page.waitForFunction(() => window.kubestage?.log().last > 0 && window.kubestage.idle(), undefined, {
    timeout: 60_000,
  });
  return page;
}

/** Where most foreground events lie in a second and a half of the cluster's time. */
const busiest = (page) =>
  page.evaluate(() => {
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

/** Plays a stretch, and again with the bare painters; in turns, so that all meet the same machine. */
async function measureFrames(url, what, from) {
  const page = await open(url);
  await page.evaluate(() => window.kubestage.speed(1));
  from ??= await busiest(page);
  const back = async () => {
    await page.evaluate((s) => window.kubestage.seek(s), from);
    await page.waitForFunction(() => window.kubestage.idle());
  };
  await back();
  await page.evaluate(writeDown);
  await page.evaluate(playFrames, FRAMES);
  const written = await page.evaluate(() => window.writtenDown_());
  const bare = await open(url);
  await bare.evaluate(() => window.kubestage.pause());
  const ours = [];
  const same = [];
  const shapes = [];
  for (let turn = 0; turn < TURNS; turn++) {
    await back();
    ours.push(await framesOf(page, () => page.evaluate(playFrames, FRAMES)));
    same.push(await framesOf(bare, () => bare.evaluate(paint, written)));
    shapes.push(await framesOf(bare, () => bare.evaluate(paint, { ...written, onlyShapes: true })));
  }
  const pods = await page.evaluate(() => window.kubestage.state().pods.length);
  await page.close();
  await bare.close();
  const all = (runs, key) => runs.flatMap((r) => r[key]);
  const row = (runs) => `${ms(p(all(runs, "computing"), 0.95))} (p50 ${ms(p(all(runs, "computing"), 0.5))})`;
  const over = (runs) => p(all(ours, "computing"), 0.95) / p(all(runs, "computing"), 0.95);
  const tokens = Math.max(...ours.map((r) => r.tokens));
  say({
    name: `a frame, p95: ${what} (${pods} pods, up to ${tokens} tokens); beside: the same changes made bare`,
    value: row(ours),
    beside: row(same),
    ratio: over(same),
    goal: 1.2,
  });
  say({
    name: "  beside: only tokens and pods, without words",
    value: row(ours),
    beside: row(shapes),
    ratio: over(shapes),
  });
  const rate = (runs) => (1000 * all(runs, "clock").length) / runs.reduce((n, r) => n + r.took, 0);
  say({
    name: "  frames a second; beside: the same changes made bare",
    value: `${rate(ours).toFixed(0)} (on the clock p95 ${ms(p(all(ours, "clock"), 0.95))})`,
    beside: `${rate(same).toFixed(0)} (${ms(p(all(same, "clock"), 0.95))})`,
  });
}

async function measureScrub(url, what, view = "stage") {
  const page = await open(url, `/en/?view=${view}#at=1`);
  const { computing, clock } = await framesOf(page, () =>
    page.evaluate(async () => {
      const k = window.kubestage;
      k.pause();
      const { first, last } = k.log();
      for (const back of [false, true]) {
        for (let i = 0; i <= 240; i++) {
          const u = back ? 1 - i / 240 : i / 240;
          k.seek(Math.round(first + (last - first) * u));
          await new Promise(requestAnimationFrame);
        }
      }
    }),
  );
  say({
    name: `longest frame of a scrub end to end and back: ${view}, ${what}`,
    value: `${ms(Math.max(...computing))} (p95 ${ms(p(computing, 0.95))}; on the clock ${ms(Math.max(...clock))}, p95 ${ms(p(clock, 0.95))})`,
    most: 50,
    is: Math.max(...computing),
  });
  await page.close();
}

/** At rest only the clock goes on, once a second. */
async function measureRest(url) {
  const page = await open(url);
  const before = await page.evaluate(() => window.frames_);
  await page.waitForTimeout(5000);
  const drawn = (await page.evaluate(() => window.frames_)) - before;
  say({ name: "frames drawn in 5 s at rest", value: `${drawn}`, most: 6, is: drawn });
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
  if (parts.has("visit")) await measureVisit(plain.url);
  if (parts.has("scrub"))
    for (const view of ["stage", "sequence", "etcd", "scheduler", "object"])
      await measureScrub(plain.url, `${recorded.length} events`, view);
  if (parts.has("heap")) {
    await measureRest(plain.url);
    await measureHeap(plain.url);
  }
  if (parts.has("frames")) await measureFrames(plain.url, "as recorded");
  const page = await open(plain.url);
  const { foreground } = await page.evaluate(() => window.kubestage.log());
  await page.close();
  plain.stop();
  for (const [what, pods] of [
    ["a crowd", 0],
    ["a crowd", 1710],
  ]) {
    if (!parts.has("frames") && !(pods && parts.has("scrub"))) continue;
    const d = await replay(crowded(`${pods}.kubestage`, foreground, pods));
    if (parts.has("frames")) await measureFrames(d.url, what, header.carried + pods + 1000);
    if (pods && parts.has("scrub")) await measureScrub(d.url, "2,000 pods");
    d.stop();
  }
} finally {
  await browser.close();
}
