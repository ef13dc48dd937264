// Every view, theme, size and language of the page as pictures, for people to
// look at: `make screenshots`, or a part of it: ARGS='--only view=etcd'. They
// are taken of the fixed recording, each where its view has something to show.
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
    only: { type: "string", default: "" },
  },
});
const recording = join(here, "bench/testdata/class.kubestage");
const events = gunzipSync(readFileSync(recording))
  .toString("utf8")
  .trim()
  .split("\n")
  .slice(1, -1)
  .map((line) => JSON.parse(line));
const seq = (test) => events.find(test).seq;
const create = seq((e) => e.kind === "request" && e.verb === "create" && e.object?.name === "web");
const choice = seq((e) => e.kind === "schedule" && e.detail.result === "scheduled");
const refusal = seq((e) => e.kind === "request" && e.code === 403);
const call = seq((e) => e.kind === "cri" && e.verb === "StartContainer" && e.object?.name === "probe");
const crash = seq((e) => e.kind === "etcd" && e.object?.name === "crash");
const rollout = create + 700;

/** Query and moment. */
const views = [
  ["", rollout],
  ["", refusal],
  ["view=sequence", create + 60],
  ["view=etcd", crash],
  ["view=scheduler", choice],
  ["view=object&focus=object:pods/default/probe", call],
  ["open=kube-apiserver", create],
  ["open=etcd", crash],
  ["open=kube-controller-manager", rollout],
  ["open=kube-scheduler", choice],
  ["open=kubelet:node-1", call],
  ["open=runtime:node-1", call],
  ["open=node:node-1", call],
  ["design", 0],
];
const sizes = [
  [1920, 1080],
  [1280, 720],
  [390, 844],
];

const child = spawn(o.binary, ["replay", recording, "--addr", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
let url = "";
for await (const line of createInterface(child.stdout)) {
  url = /^Kubestage is at (\S+)$/.exec(line)?.[1] ?? "";
  break;
}
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
  ],
});
mkdirSync(o.out, { recursive: true });
let taken = 0;
try {
  for (const [width, height] of sizes) {
    for (const theme of ["light", "dark", "projector"]) {
      const context = await browser.newContext({ viewport: { width, height } });
      await context.addInitScript((t) => localStorage.setItem("kubestage.theme", t), theme);
      const page = await context.newPage();
      for (const lang of ["en", "ko"]) {
        for (const [query, at] of views) {
          const name = `${query || "stage"}-${at}-${width}x${height}-${theme}-${lang}`.replace(/[^\w.-]+/g, "_");
          if (o.only && !`${query || "stage"} ${width}x${height} ${theme} ${lang}`.match(o.only)) continue;
          if (query === "design") await page.goto(`${url}/${lang}/design`);
          else {
            await page.goto(`${url}/${lang}/?${query}#at=${at}`);
            await page.waitForFunction(
              (n) => window.kubestage?.idle() && window.kubestage.log().last >= n,
              events.length,
            );
          }
          await page.evaluate(() => document.fonts.ready);
          await page.screenshot({ path: join(o.out, `${name}.png`), fullPage: query === "design" });
          taken++;
          // Another query with the same hash must load the page anew.
          await page.goto("about:blank");
        }
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
  child.kill("SIGINT");
}
console.log(`${taken} pictures are in ${o.out}`);
