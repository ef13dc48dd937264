// Every page and view, in every theme, size and language, as pictures for people
// to look at: `make screenshots`, or a part of it: ARGS='--only etcd'. What can
// be shown of a recording is taken of recordings, each where there is something to
// see; what needs a cluster, or a place where things are kept, of a fresh one.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { chromium } from "@playwright/test";

const here = dirname(fileURLToPath(import.meta.url));
const { values: o } = parseArgs({
  options: {
    binary: { type: "string", default: join(here, "../bin/dashboard") },
    out: { type: "string", default: join(here, "screenshots") },
    only: { type: "string", default: "" }, // a regular expression over "name 1280x720 dark ko"
    without: { type: "string", default: "" }, // "cluster" leaves out what needs one
  },
});

/** A program's pages, and the events they have. */
async function start(args, events = []) {
  const child = spawn(o.binary, [...args, "--addr", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface(child.stdout)) {
    const url = /^Kubestage is at (\S+)$/.exec(line)?.[1];
    if (url) return { url, events, stop: () => child.kill("SIGINT") };
  }
  throw new Error(`${o.binary} ${args.join(" ")} ended`);
}

const read = (file) =>
  gunzipSync(readFileSync(file))
    .toString("utf8")
    .trim()
    .split("\n")
    .slice(1, -1)
    .map((line) => JSON.parse(line));
const classFile = join(here, "bench/testdata/class.kubestage");
const birthFile = join(here, "../content/recordings/pod-birth.kubestage");
const events = read(classFile);
const birth = read(birthFile);
const find = (all, test) => all.find(test).seq;
const seq = (test) => find(events, test);
const create = seq((e) => e.kind === "request" && e.verb === "create" && e.object?.name === "web");
const choice = seq((e) => e.kind === "schedule" && e.detail.result === "scheduled");
const refusal = seq((e) => e.kind === "request" && e.code === 403);
const call = seq((e) => e.kind === "cri" && e.verb === "StartContainer" && e.object?.name === "probe");
const crash = seq((e) => e.kind === "etcd" && e.object?.name === "crash");
const other = seq((e) => e.kind === "request" && e.verb === "create" && e.object?.name === "crash");
const rollout = create + 700;
const born = find(birth, (e) => e.kind === "etcd" && e.object?.resource === "pods" && e.object?.name === "hello");

const press = (key) => (page) => page.keyboard.press(key);
const click = (selector) => (page) => page.locator(selector).first().click();
const tab = (name) => click(`#tab-${name}`);
const scrollTo = (selector) => (page) =>
  page
    .locator(selector)
    .first()
    .evaluate((el) => el.scrollIntoView({ block: "start" }));

/** The notes a phone has below its stage, a wide window beside it. */
const below = (page, width) => (width < 720 ? scrollTo(".tabs")(page) : undefined);

/** Of the class: name, query, moment, what is done there. */
const stageViews = [
  ["stage-rollout", "", rollout],
  ["stage-refusal", "", refusal],
  ["stage-beginning", "", 0],
  ["sequence", "view=sequence", create + 60],
  ["compare", `view=sequence&story=${create}&with=${other}`, create + 200],
  ["etcd", "view=etcd", crash],
  ["scheduler", "view=scheduler", choice],
  ["object", "view=object&focus=object:pods/default/probe", call],
  ["inside-apiserver", "open=kube-apiserver", create],
  ["inside-etcd", "open=etcd", crash],
  ["inside-controllers", "open=kube-controller-manager", rollout],
  ["inside-scheduler", "open=kube-scheduler", choice],
  ["inside-kubelet", "open=kubelet:node-1", call],
  ["inside-runtime", "open=runtime:node-1", call],
  ["inside-node", "open=node:node-1", call],
  ["legend", "", create, press("?")],
  ["palette", "", create, press("Control+k")],
  ["present-dialog", "", create, press("p")],
  ["inspector", `focus=event:${create}`, create, below],
  ["inspector-decision", `focus=event:${choice}`, choice, below],
  ["transcript", "", create + 60, (page, w) => tab("transcript")(page).then(() => below(page, w))],
  ["stories", "", create + 60, (page, w) => tab("stories")(page).then(() => below(page, w))],
].map(([name, query, at, act]) => ({ name, of: "class", path: `?${query}#at=${at}`, act }));

const bookPages = [
  ["home", ""],
  ["contents", "book"],
  ["search", "search?q=pod"],
  ["glossary", "glossary"],
  ["chapter-start", "chapter/pod-birth"],
  ["chapter-text", "chapter/etcd", scrollTo(".steps")],
  ["chapter-notes", "chapter/etcd", scrollTo(".chapter-note")],
  ["chapter-checkpoint", "chapter/pod-birth", scrollTo(".check")],
].flatMap(([name, page, act]) => {
  const path = `${page}#at=${born}`;
  return [
    { name, of: "birth", path, act },
    ...(act ? [] : [{ name: `${name}-below`, of: "birth", path, act: below, phone: true }]),
  ];
});

const pages = [
  ...stageViews,
  ...bookPages,
  { name: "chapter-run", of: "birth", path: "chapter/pod-birth?recording=pod-birth", act: midRun },
  { name: "design", of: "class", path: "design", whole: true },
  { name: "embed", of: "birth", at: (lang) => `/embed/chapter/pod-birth?lang=${lang}#at=${born}` },
  { name: "join", of: "door", path: "join" },
  { name: "join-wrong", of: "door", path: "join?code=nope" },
  { name: "presenter", of: "presenter", path: "present" },
  { name: "follower", of: "follower", path: "" },
  { name: "live-home", of: "cluster", path: "" },
  { name: "live-chapter", of: "cluster", path: "chapter/components" },
  { name: "live-editor", of: "cluster", path: "", act: edit },
  { name: "live-terminal", of: "cluster", path: "", act: terminal },
  { name: "live-link", of: "cluster", path: "?command=kubectl+get+pods" },
  { name: "live-stories", of: "cluster", path: "", act: (p, w) => tab("stories")(p).then(() => below(p, w)) },
  { name: "live-part", of: "cluster", path: "?focus=part:kube-scheduler", act: below },
  { name: "live-present", of: "cluster", path: "", act: press("p") },
  { name: "notes", of: "cluster", path: "notes", act: below },
  { name: "note", of: "cluster", path: "notes/book.md", act: below },
  { name: "note-cases", of: "cluster", path: "notes/cases.md", act: below },
  { name: "progress", of: "cluster", path: "progress", act: below },
  { name: "board", of: "cluster", path: "board", act: below },
];

/** The terminal with what can be created; a phone has none. */
async function terminal(page, width) {
  if (width < 720) return;
  const shows = (what) =>
    page.waitForFunction((w) => document.querySelector(".xterm-rows")?.textContent.includes(w), what);
  await page.keyboard.press("`");
  await shows("$");
  await page.keyboard.type("kubectl create ");
  await page.keyboard.press("Tab");
  await shows("configmap");
}

/** A chapter whose recorded run is in the middle, with its text open. */
async function midRun(page, width) {
  await page.locator("[data-run]").click();
  await page.waitForFunction(() => window.kubestage?.log().last > 20);
  await page.evaluate((at) => {
    window.kubestage.seek(at);
    window.kubestage.pause();
  }, born);
  await page.waitForFunction(() => document.querySelector('[data-step][data-state="current"]'));
  if (width < 720) await scrollTo('[data-step][data-state="current"]')(page);
}

async function edit(page) {
  await page.locator('[aria-controls="console-editor"]').click();
  await page.locator(".cm-content").waitFor();
  await page.locator(".cm-content").press("ControlOrMeta+a");
  await page.keyboard.insertText(
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containrs:\n    - name: web\n",
  );
  await page.locator(".console").scrollIntoViewIfNeeded();
}

const sizes = [
  [1920, 1080],
  [1280, 720],
  [390, 844],
];
const themes = ["light", "dark", "projector"];
const wanted = (p, [width, height], theme, lang) =>
  !(p.phone && width > 720) &&
  !(o.without === "cluster" && p.of === "cluster") &&
  (!o.only || `${p.name} ${width}x${height} ${theme} ${lang}`.match(o.only));
const sources = new Set(
  pages
    .filter((p) => sizes.some((s) => themes.some((theme) => ["en", "ko"].some((lang) => wanted(p, s, theme, lang)))))
    .map((p) => p.of),
);
const need = (...names) => names.some((name) => sources.has(name));

const running = {};
if (need("class")) running.class = await start(["replay", classFile], events);
if (need("birth")) running.birth = await start(["replay", birthFile], birth);
if (need("door", "presenter", "follower"))
  running.share = await start(["replay", birthFile, "--share", "127.0.0.1:0"], birth);
if (need("cluster")) {
  running.cluster = await start([
    "--ephemeral",
    "--share",
    "127.0.0.1:0",
    "--notes",
    join(here, "../content/notes/testdata"),
  ]);
  while (!(await fetch(`${running.cluster.url}/readyz`)).ok) await new Promise((done) => setTimeout(done, 200));
  await fetch(`${running.cluster.url}/api/kubectl`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin: running.cluster.url },
    body: JSON.stringify({
      command: "kubectl create deployment web --image=nginx --replicas=3",
      stdin: "",
      lang: "en",
    }),
  }).then((answer) => answer.text());
}
const browser = await chromium.launch(JSON.parse(readFileSync(join(here, "chromium.json"), "utf8")));

/** The address of a page's program, for a reader in a language. */
async function addressOf(p, lang, context) {
  if (!running.share || !["door", "presenter", "follower"].includes(p.of))
    return running[p.of].url + (p.at?.(lang) ?? `/${lang}/${p.path}`);
  const { code, links, presenter } = await (await fetch(`${running.share.url}/api/share`)).json();
  if (p.of === "presenter") {
    await (await context.newPage()).goto(presenter[0]);
    await context.pages().at(-1).close();
    return `${running.share.url}/${lang}/${p.path}`;
  }
  const origin = new URL(links[0]).origin;
  if (p.of === "follower") {
    await (await context.newPage()).goto(`${origin}/join?code=${code}`);
    await context.pages().at(-1).close();
  }
  return `${origin}/${lang}/${p.path}`;
}

async function take(p, size, theme, lang) {
  const [width, height] = size;
  const context = await browser.newContext({ viewport: { width, height } });
  try {
    await context.addInitScript((t) => localStorage.setItem("kubestage.theme", t), theme);
    let leader;
    if (p.of === "presenter" || p.of === "follower") {
      leader = await context.newPage();
      await leader.goto(`${running.share.url}/${lang}/chapter/pod-birth?recording=pod-birth#at=${born}`);
      await leader.waitForFunction(() => window.kubestage?.log().last > 20);
      await leader.locator('[data-action="present"]').click();
      await leader.locator(".share .primary").click();
      await leader.keyboard.press("Escape");
    }
    const page = await context.newPage();
    await page.goto(await addressOf(p, lang, context));
    if (p.of === "follower") await page.waitForURL(/chapter/);
    const known = running[p.of]?.events.length ?? 0;
    if (await page.locator("#stage").count())
      await page.waitForFunction(
        (n) => window.kubestage?.log().last >= n && (window.kubestage.mode() !== "paused" || window.kubestage.idle()),
        known,
      );
    await p.act?.(page, width);
    await page.evaluate(() => document.fonts.ready);
    if (await page.locator("#stage").count())
      await page.waitForFunction(() => window.kubestage.mode() !== "paused" || window.kubestage.idle());
    await page.screenshot({
      path: join(o.out, `${p.name}-${width}x${height}-${theme}-${lang}.png`),
      fullPage: p.whole ?? false,
    });
  } catch (e) {
    console.error(`${p.name} ${width}x${height} ${theme} ${lang}: ${e.message}`);
    process.exitCode = 1;
  } finally {
    await context.close();
  }
}

mkdirSync(o.out, { recursive: true });
let taken = 0;
try {
  for (const p of pages)
    for (const size of sizes)
      for (const theme of themes)
        for (const lang of ["en", "ko"])
          if (wanted(p, size, theme, lang)) {
            await take(p, size, theme, lang);
            taken++;
          }
} finally {
  await browser.close();
  for (const program of Object.values(running)) program.stop();
}
console.log(`${taken} pictures are in ${o.out}`);
