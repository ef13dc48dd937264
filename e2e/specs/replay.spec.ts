// A recording is played without a cluster: from its beginning, with what was
// there before, and it ends where the cluster was.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { Dashboard } from "../dashboard.ts";
import { Stage } from "../pages/stage.ts";
import { expect, test } from "../test.ts";

interface Seen {
  pods: string[];
  nodes: string[];
  components: string[];
}

/**
 * What the stage's model holds at an event, without the numbers of the log, and without the revision: a live log has
 * heartbeats right behind any event, which take no time of the view.
 */
async function seenAt(page: Page, seq: number): Promise<Seen> {
  await page.waitForFunction((n) => window.kubestage.log().last >= n, seq);
  return page.evaluate((n) => {
    window.kubestage.seek(n);
    const state = (window.kubestage as unknown as { state(): Record<string, unknown> }).state();
    const list = (name: string, ...fields: string[]) =>
      (state[name] as Record<string, unknown>[]).map((o) => JSON.stringify(fields.map((f) => o[f]))).sort();
    return {
      pods: list("pods", "key", "uid", "node", "phase"),
      nodes: list("nodes", "name", "uid", "ready", "address", "unschedulable"),
      components: list("components", "name", "health", "pid", "restarts"),
    };
  }, seq);
}

/** The elements of the stage, one a line. */
const drawing = (page: Page): Promise<string[]> =>
  page.locator(".stage-svg *").evaluateAll((all) =>
    all.map((el) => {
      const attributes = [...el.attributes].map((a) => `${a.name}="${a.value}"`).sort();
      return [el.parentElement?.tagName, el.tagName, ...attributes, el.children.length ? "" : el.textContent].join(" ");
    }),
  );

test("a recording plays from its beginning and ends where the cluster was", async ({ dashboard, page, context }) => {
  await dashboard.kubectl("kubectl run early --image=nginx --restart=Never");
  const running = (name: string) => (all: Awaited<ReturnType<Dashboard["events"]>>) =>
    all.some(
      (e) => e.kind === "etcd" && e.object?.name === name && JSON.stringify(e.detail).includes('"phase":"Running"'),
    );
  const beginning = await dashboard.lastSeq();
  await dashboard.eventsWhen("the first pod runs", 0, running("early"));
  const before = await dashboard.lastSeq();
  await dashboard.kubectl("kubectl run late --image=nginx --restart=Never");
  await dashboard.eventsWhen("the second pod runs", before, running("late"));
  const last = await dashboard.lastSeq();
  expect(before).toBeGreaterThan(beginning);

  const answer = await fetch(`${dashboard.url}/api/record?from=${before + 1}&to=${last}&title=late`);
  expect(answer.status, await answer.clone().text()).toBe(200);
  const folder = await mkdtemp(join(tmpdir(), "replay-"));
  const file = join(folder, "late.kubestage");
  await writeFile(file, Buffer.from(await answer.arrayBuffer()));

  const live = new Stage(page);
  await live.open(dashboard.url, "/en/");
  await page.waitForFunction(() => window.kubestage.log().last > 0);
  const were = await seenAt(page, before);
  const are = await seenAt(page, last);

  const replay = await Dashboard.replay(file);
  try {
    const other = await context.newPage();
    const stage = new Stage(other);
    await stage.open(replay.url, "/en/");
    await other.waitForFunction(() => window.kubestage.mode() === "playing");
    const events = await replay.events();
    const carried = events.length - (last - before);
    expect(carried, "objects, components and watchers that were there").toBeGreaterThan(50);
    // It moves by itself; where it is when we ask is somewhere after the beginning.
    const from = await stage.playhead();
    await other.waitForFunction((seq) => window.kubestage.playhead() > seq, from);

    expect(await seenAt(other, carried), "what was there before the first event").toEqual(were);
    expect(await seenAt(other, events.length), "what was there at the end").toEqual(are);
    await stage.idle();
    await expect(stage.pods("late")).toBeVisible();
    await expect(stage.pods("early")).toBeVisible();

    const drawn = await drawing(other);
    await other.goto("about:blank"); // another hash alone would not load the page again
    await stage.open(replay.url, `/en/#at=${events.length}`);
    await stage.idle();
    expect(await drawing(other), "what changed bit by bit is what is drawn at once").toEqual(drawn);

    const refused = await fetch(`${replay.url}/api/kubectl`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ command: "kubectl delete pod late", lang: "ko" }),
    });
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining("이것은 기록입니다")]);
    await other.close();
  } finally {
    await replay.stop();
    await rm(folder, { recursive: true });
  }
  await dashboard.kubectl("kubectl delete pod early late --now");
});
