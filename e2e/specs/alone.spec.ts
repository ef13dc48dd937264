// Pages that need no server: a run exported as one file, and the stage as a
// frame in somebody else's page.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Page } from "@playwright/test";
import { binary, Dashboard } from "../dashboard.ts";
import { Stage } from "../pages/stage.ts";
import { expectReadable } from "../readable.ts";
import { expect, test } from "../test.ts";

const recording = fileURLToPath(new URL("../../content/recordings/deployment.kubestage", import.meta.url));

test("an exported run plays from a file without a network, both ways", async ({ page, context }) => {
  const folder = await mkdtemp(join(tmpdir(), "export-"));
  try {
    const file = join(folder, "run.html");
    await promisify(execFile)(binary, ["export", recording, "-o", file]);
    await context.setOffline(true);
    await page.goto(pathToFileURL(file).href);
    const stage = new Stage(page);
    await page.waitForFunction(() => window.kubestage?.mode() === "playing");
    await page.keyboard.press(" ");

    const create = await page.evaluate(() =>
      window.kubestage.log().foreground.find((seq) => {
        const e = window.kubestage.event(seq);
        return e?.kind === "request" && e.verb === "create" && e.object?.resource === "deployments";
      }),
    );
    await page.evaluate((seq) => window.kubestage.seek(seq), create ?? 0);
    expect(await stage.caption()).toBe("kubectl asks the kube-apiserver to create Deployment web.");
    const there: [number, string][] = [];
    const back: [number, string][] = [];
    const now = async (): Promise<[number, string]> => [await stage.playhead(), await stage.text()];
    for (let i = 0; i < 8; i++) {
      await stage.idle();
      there.push(await now());
      await page.keyboard.press("ArrowRight");
    }
    for (let i = 0; i < 8; i++) {
      await page.keyboard.press("ArrowLeft");
      await stage.idle();
      back.unshift(await now());
    }
    expect(back, "the same pictures backwards").toEqual(there);

    const pods = await page.evaluate(() => {
      window.kubestage.seek(window.kubestage.log().last);
      return (window.kubestage.state() as { pods: { node?: string }[] }).pods.filter((p) => p.node).length;
    });
    expect(pods).toBeGreaterThan(0);
    await expect(stage.svg.locator('[data-object^="pods/"]')).toHaveCount(pods);
    for (const view of ["sequence", "etcd", "scheduler", "object"]) {
      await page.locator(`#view-tab-${view}`).click();
      await expect(page.locator(`#view-${view}`)).not.toBeEmpty();
    }
    await stage.tab("transcript");
    await expect(page.locator("#panel-transcript tr")).not.toHaveCount(0);
    await expect(page.locator('[data-mount="console"], [data-mount="chapter"]')).toHaveCount(0);
    await page.locator("#view-tab-stage").click();
    await expectReadable(page);

    const at = await stage.playhead();
    await page.locator('[data-lang-link="ko"]').click();
    await page.waitForFunction((seq) => window.kubestage?.idle() && window.kubestage.playhead() === seq, at);
    await expect(page.locator("html")).toHaveAttribute("lang", "ko");
    await expect(page.locator("[data-caption-text]")).toContainText(/니다\.$/);
    await expectReadable(page);
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** What the stage offers for notes: a link, a frame, pictures, and the story as a page, which is opened from its file. */
async function take(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/en/`);
  await page.waitForFunction(() => window.kubestage?.log().foreground.length > 60);
  const at = await page.evaluate(() => {
    const { foreground } = window.kubestage.log();
    const bound = foreground.find((seq) => window.kubestage.event(seq)?.kind === "schedule") ?? 0;
    window.kubestage.seek(bound);
    return bound;
  });
  const stage = new Stage(page);
  await stage.idle();
  const caption = await stage.caption();
  await page.keyboard.press("c");
  const dialog = page.getByRole("dialog", { name: "For my notes" });
  await expect(dialog.getByLabel("Link, as Markdown")).toHaveValue(new RegExp(`^\\[.*\\]\\(${url}/en/.*#at=${at}&`));
  await expect(dialog.getByLabel(/iframe/)).toHaveValue(new RegExp(`<iframe src="${url}/embed/story/\\d+\\?`));
  await expectReadable(page, ".link-dialog");

  const download = async (name: string, role: "button" | "link" = "button") => {
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      dialog.getByRole(role, { name, exact: true }).click(),
    ]);
    return file;
  };
  const svg = await readFile(await (await download("SVG")).path(), "utf8");
  expect(svg).toContain(`event ${at} · revision`);
  expect(svg.replace(/<[^>]*>/g, "")).toContain(caption);
  expect(svg, "it has its looks inside").not.toMatch(/var\(|class="(?!k\d+")/);
  const png = await readFile(await (await download("PNG")).path());
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  const saved = await download("This story", "link");
  expect(saved.suggestedFilename()).toMatch(/^[\w.-]+\.html$/);

  await page.context().setOffline(true);
  const folder = await mkdtemp(join(tmpdir(), "story-"));
  try {
    const file = join(folder, saved.suggestedFilename());
    await saved.saveAs(file);
    await page.goto(`${pathToFileURL(file).href}?frame&lang=en`);
    await page.waitForFunction(() => window.kubestage?.idle());
    await page.keyboard.press("ArrowRight");
    const one = await stage.playhead();
    await page.keyboard.press("ArrowRight");
    expect(await stage.playhead()).toBeGreaterThan(one);
    await page.keyboard.press("ArrowLeft");
    expect(await stage.playhead()).toBe(one);
  } finally {
    await page.context().setOffline(false);
    await rm(folder, { recursive: true });
  }
}

test("a page elsewhere holds the stage, talks with it, and can do nothing else", async ({ page }) => {
  const replay = await Dashboard.replay(recording);
  const notes = createServer((_, answer) => {
    answer.setHeader("Content-Type", "text/html");
    answer.end(`<!doctype html><html lang="en"><title>Notes</title><h1>Notes</h1>
      <iframe title="Birth of a pod" width="900" height="520" src="${replay.url}/embed/chapter/pod-birth?lang=en"></iframe>
      <iframe title="Not for frames" src="${replay.url}/en/"></iframe>
      <script>
        window.heard = [];
        window.frame = document.querySelector("iframe").contentWindow;
        addEventListener("message", (e) => { if (e.source === frame) heard.push({ ...e.data, from: e.origin }); });
        window.say = (type, more) => frame.postMessage({ kubestage: 1, type, ...more }, "*");
      </script>`);
  });
  await new Promise<void>((resolve) => notes.listen(0, "127.0.0.1", resolve));
  const complaints: string[] = [];
  try {
    const other = await page.context().newPage(); // one that may complain: of the frame that is refused
    other.on("console", (m) => m.type() === "error" && complaints.push(m.text()));
    await other.goto(`http://127.0.0.1:${(notes.address() as AddressInfo).port}/`);
    interface Heard {
      type: string;
      seq?: number;
      text?: string;
      playing?: boolean;
      from: string;
      last?: number;
    }
    const heard = () => other.evaluate(() => (window as unknown as { heard: Heard[] }).heard);
    const last = async (type: string) => (await heard()).findLast((m) => m.type === type);
    const say = (type: string, more: object = {}) =>
      other.evaluate(([t, m]) => (window as unknown as { say(type: string, more: object): void }).say(t, m), [
        type,
        more,
      ] as const);

    await expect.poll(async () => (await heard()).map((m) => m.type)).toEqual(["ready"]);
    await say("step", { by: 1 });
    expect((await heard()).length, "nothing is told to who has not asked").toBe(1);
    await say("listen");
    await expect.poll(() => last("caption")).toMatchObject({ from: "null", lang: "en" });
    const first = (await last("playhead"))?.seq ?? 0;
    await say("step", { by: 1 });
    await expect.poll(async () => (await last("playhead"))?.seq).toBeGreaterThan(first);
    await say("step", { by: -1 });
    await expect.poll(async () => (await last("playhead"))?.seq).toBe(first);
    await say("step", { by: 1_000_000 });
    await say("run", { command: "kubectl delete pod --all" });
    await other.evaluate(() => {
      const { frame } = window as unknown as { frame: Window };
      for (const m of ["x", null, 7, { type: "play" }, { kubestage: 2, type: "play" }]) frame.postMessage(m, "*");
    });
    await say("seek", { seq: 1e9 });
    const end = (await last("playhead"))?.last;
    await expect.poll(async () => (await last("playhead"))?.seq).toBe(end);
    await expect.poll(() => last("ended")).toBeTruthy();
    await say("theme", { theme: "dark" });
    const frame = other.frameLocator("iframe").first();
    await expect(frame.locator("html")).toHaveAttribute("data-theme", "dark");
    await expect(frame.locator("[data-open-link]")).toHaveAttribute(
      "href",
      /^\/en\/chapter\/pod-birth\?recording=pod-birth#at=\d+/,
    );

    const inside = other.frames().find((f) => f.url().includes("/embed/"));
    const tried = await inside?.evaluate(async () => {
      const names = async (what: () => unknown) => {
        try {
          return String(await what());
        } catch (e) {
          return (e as Error).name;
        }
      };
      return [
        self.origin,
        await names(() => document.cookie),
        await names(() => localStorage.length),
        await names(() => fetch("/api/kubectl", { method: "POST", body: "{}" })),
      ];
    });
    expect(tried, "it has no origin, no memory, and reaches nothing").toEqual([
      "null",
      "SecurityError",
      "SecurityError",
      "TypeError",
    ]);
    expect(complaints.join("\n"), "other pages are framed by nobody").toMatch(/frame-ancestors|X-Frame-Options/);

    await say("language", { lang: "ko" });
    await expect.poll(async () => (await heard()).filter((m) => m.type === "ready").length).toBe(2);
    await expect(frame.locator("[data-open-link]")).toHaveText("Kubestage에서 열기");
    await other.close();

    await page.goto(`${replay.url}/embed/chapter/pod-birth?lang=ko`);
    await page.waitForFunction(() => window.kubestage?.idle());
    await expectReadable(page);
    await take(page, replay.url);
    const missing = await fetch(`${replay.url}/embed/story/1?log=guessed`);
    expect(missing.status).toBe(404);
  } finally {
    notes.close();
    notes.closeAllConnections();
    await replay.stop();
  }
});
