// What a learner does to the cluster's parts, from the page: each order is
// confirmed, happens to the real process or connection, and is drawn from the
// log.
import type { Page } from "@playwright/test";
import type { KubeEvent } from "../../web/src/wire/event.ts";
import type { Dashboard } from "../dashboard.ts";
import { Stage } from "../pages/stage.ts";
import { expectReadable } from "../readable.ts";
import { expect, test } from "../test.ts";

test.describe.configure({ mode: "serial" });

/** Chooses a part of the picture, presses the button of an order, and confirms with the keyboard alone. */
async function order(page: Page, stage: Stage, part: string, button: string): Promise<void> {
  await page.keyboard.press("Escape"); // a part that is chosen already would be gone into
  await stage.part(part).focus();
  await page.keyboard.press("Enter");
  const press = page.locator("#panel-inspector").getByRole("button", { name: button, exact: true });
  await expect(press).toBeEnabled();
  await press.focus();
  await page.keyboard.press("Enter");
  const dialog = page.locator("[data-confirm]");
  await expect(dialog).toBeVisible();
  await expectReadable(page, "[data-confirm]");
  await dialog.locator("[data-do]").focus();
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
}

const podRuns = (name: string) => (all: KubeEvent[]) =>
  all.some(
    (e) =>
      e.kind === "etcd" &&
      e.object?.resource === "pods" &&
      e.object.name === name &&
      JSON.stringify(e.detail?.value ?? {}).includes('"phase":"Running"'),
  );

test("freeze the scheduler: pods stay Pending with no decision; thaw: they run", async ({ dashboard, page }) => {
  const stage = new Stage(page);
  await stage.open(dashboard.url, "/en/");
  await stage.realSpeed();
  await order(page, stage, "kube-scheduler", "Freeze");
  await stage.showsComponent("kube-scheduler", "frozen");

  const before = await dashboard.lastSeq();
  await dashboard.kubectl("kubectl run cold --image=nginx");
  // Another pod that asks for its node needs no scheduler: when it runs, the first has waited long enough to be decided on.
  await dashboard.kubectl(
    "kubectl apply -f -",
    '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"placed"},"spec":{"nodeName":"node-1","containers":[{"name":"c","image":"nginx"}]}}',
  );
  const frozen = await dashboard.eventsWhen("the placed pod runs", before, podRuns("placed"));
  expect(frozen.filter((e) => e.kind === "schedule")).toEqual([]);
  await stage.catchUp();
  await expect(stage.pods("cold")).toHaveAttribute("aria-label", /Pending/);

  await order(page, stage, "kube-scheduler", "Thaw");
  const thawed = await dashboard.eventsWhen("the pod runs", before, podRuns("cold"));
  const decided = thawed.find((e) => e.kind === "schedule" && e.object?.name === "cold");
  const thaw = thawed.find((e) => e.kind === "component" && e.verb === "thawed");
  expect(thaw?.seq).toBeLessThan(decided?.seq ?? 0);
  await stage.catchUp();
  await stage.showsComponent("kube-scheduler", "ready");
  await expect(stage.pods("cold")).toHaveAttribute("aria-label", /Running/);
  await dashboard.kubectl("kubectl delete pod cold placed --now");
});

test("cut node-2 off: NotReady, taint and eviction follow, and each goes back to the cut", async ({
  dashboard,
  page,
}) => {
  test.setTimeout(300_000);
  const stage = new Stage(page);
  await stage.open(dashboard.url, "/en/");
  await stage.realSpeed();
  // It tolerates being out of reach for a moment only, so that the test need not wait five minutes.
  const first = await dashboard.lastSeq();
  await dashboard.kubectl(
    "kubectl apply -f -",
    JSON.stringify({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "island" },
      spec: {
        nodeName: "node-2",
        containers: [{ name: "c", image: "nginx" }],
        tolerations: ["not-ready", "unreachable"].map((what) => ({
          key: `node.kubernetes.io/${what}`,
          operator: "Exists",
          effect: "NoExecute",
          tolerationSeconds: 1,
        })),
      },
    }),
  );
  await dashboard.eventsWhen("the pod runs", first, podRuns("island"));

  const before = await dashboard.lastSeq();
  await order(page, stage, "node:node-2", "Cut off");
  const evicted = (e: KubeEvent) =>
    e.kind === "request" && e.verb === "delete" && e.object?.resource === "pods" && e.object.name === "island";
  const events = await waitFor(dashboard, "the eviction", before, (all) => all.some(evicted), 180_000);

  const cut = events.find((e) => e.kind === "link" && e.verb === "cut");
  const notReady = events.find(
    (e) =>
      e.kind === "request" &&
      e.object?.resource === "nodes" &&
      e.object.subresource === "status" &&
      e.object.name === "node-2" &&
      e.from.endsWith(":node-controller"),
  );
  const taint = events.find(
    (e) =>
      e.kind === "request" &&
      e.object?.resource === "nodes" &&
      !e.object.subresource &&
      e.object.name === "node-2" &&
      e.verb === "patch",
  );
  const eviction = events.find(evicted);
  expect([cut?.detail?.link, notReady?.from, taint?.from, eviction?.from].map(Boolean)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  const bySeq = new Map((await dashboard.events()).map((e) => [e.seq, e]));
  for (const e of [notReady, taint, eviction])
    expect(leadsTo(bySeq, e, cut), `${e?.seq} goes back to the cut`).toBe(true);

  await stage.catchUp();
  await expect(stage.part("node:node-2")).toHaveAttribute("aria-label", /NotReady/);
  await expect(stage.part("kubelet:node-2")).toHaveAttribute("aria-label", /cut off/);
  await expect(stage.svg.locator(".link-mark.is-cut")).toHaveCount(1);

  await order(page, stage, "node:node-2", "Heal");
  await waitFor(
    dashboard,
    "the pod's end on node-2",
    before,
    (all) => all.some((e) => e.kind === "etcd" && e.verb === "delete" && e.object?.name === "island"),
    120_000,
  );
  await stage.catchUp();
  await expect(stage.svg.locator(".link-mark")).toHaveCount(0);
});

/** Whether some way along the causes of an event ends at another. */
function leadsTo(bySeq: Map<number, KubeEvent>, from: KubeEvent | undefined, to: KubeEvent | undefined): boolean {
  const seen = new Set<number>();
  const ask = from ? [from.seq] : [];
  for (let seq = ask.pop(); seq !== undefined; seq = ask.pop()) {
    if (seq === to?.seq) return true;
    if (seen.has(seq)) continue;
    seen.add(seq);
    for (const c of bySeq.get(seq)?.causes ?? []) ask.push(c.seq);
  }
  return false;
}

/** As eventsWhen, with more patience: a node counts as lost only after a while. */
async function waitFor(
  dashboard: Dashboard,
  what: string,
  after: number,
  fulfilled: (all: KubeEvent[]) => boolean,
  patience: number,
): Promise<KubeEvent[]> {
  const deadline = Date.now() + patience;
  for (;;) {
    const all = await dashboard.events(after);
    if (fulfilled(all)) return all;
    if (Date.now() > deadline) throw new Error(`waited for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
