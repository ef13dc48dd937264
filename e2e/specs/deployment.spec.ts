// One command to a real cluster on stage: what a learner types in the page's
// console is in the log with all its consequences, and the stage drew exactly
// those, in causal order.
import type { KubeEvent } from "../../web/src/wire/event.ts";
import { Console } from "../pages/console.ts";
import { Stage } from "../pages/stage.ts";
import {
  accepted,
  calls,
  controller,
  cycleIsComplete,
  drawable,
  inOrder,
  kubelet,
  learner,
  oneRevisionPerWrite,
  podIsBorn,
  readyReplicas,
  scheduler,
  storyOf,
  uidOf,
  value,
} from "../story.ts";
import { expect, test } from "../test.ts";

test.describe.configure({ mode: "serial" });

test("three replicas: the log holds every step with its actor, and the stage draws them", async ({
  dashboard,
  page,
}) => {
  const before = await dashboard.lastSeq();
  const stage = new Stage(page);
  const terminal = new Console(page);
  await stage.open(dashboard.url, "/en/");
  await stage.realSpeed();
  await terminal.run("kubectl create deployment web --image=nginx --replicas=3");
  await expect(terminal.output).toContainText("deployment.apps/web created");

  const events = await dashboard.eventsWhen("the deployment says that 3 replicas are ready", before, (all) =>
    all.some((e) => e.object?.resource === "deployments" && readyReplicas(e) === 3),
  );
  expect(inOrder(events)).toEqual([]);

  const deployments = accepted(events, "create", "deployments");
  expect(deployments).toHaveLength(1);
  expect(deployments[0]).toMatchObject({ from: learner, code: 201, object: { namespace: "default", name: "web" } });
  expect(accepted(events, "create", "replicasets").map((e) => e.from)).toEqual([controller("deployment-controller")]);
  const pods = accepted(events, "create", "pods");
  expect(pods.map((e) => e.from)).toEqual(Array(3).fill(controller("replicaset-controller")));

  const cycles = events.filter((e) => e.kind === "schedule" && e.detail?.result === "scheduled");
  expect(cycles.map((e) => e.from)).toEqual(Array(3).fill(scheduler));
  expect(cycles.flatMap((cycle) => cycleIsComplete(cycle, 3))).toEqual([]);
  expect(accepted(events, "create", "pods/binding").map((e) => e.from)).toEqual(Array(3).fill(scheduler));

  const uids = new Set(pods.map((e) => uidOf(events, e)));
  expect(uids.size).toBe(3);
  for (const uid of uids) {
    expect(podIsBorn(events, uid)).toEqual([]);
    expect(calls(events, uid).map((e) => e.verb)).toEqual([
      "RunPodSandbox",
      "PullImage",
      "CreateContainer",
      "StartContainer",
    ]);
  }
  for (const cycle of cycles) {
    const patches = accepted(events, "patch", "pods/status").filter((e) => e.object?.name === cycle.object?.name);
    expect(patches.length).toBeGreaterThan(0);
    expect([...new Set(patches.map((e) => e.from))]).toEqual([kubelet(String(cycle.detail?.node))]);
  }
  expect(oneRevisionPerWrite(events)).toEqual([]);

  await stage.idle();
  await expect(stage.pods("web-")).toHaveCount(3);
  await expect(stage.pods("web-").and(page.getByLabel(/Running/))).toHaveCount(3);
  await drewExactly(stage, events);
});

test("scaling down and deleting look as right as creating", async ({ dashboard, page }) => {
  const stage = new Stage(page);
  const terminal = new Console(page);
  await stage.open(dashboard.url, "/en/");
  await stage.realSpeed();
  await stage.idle();
  await expect(stage.pods("web-")).toHaveCount(3);

  let before = await dashboard.lastSeq();
  await terminal.run("kubectl scale deployment web --replicas=1");
  await expect(terminal.output).toContainText("deployment.apps/web scaled");
  let events = await dashboard.eventsWhen("two pods are gone from etcd", before, (all) => gone(all).length === 2);
  expect(inOrder(events)).toEqual([]);
  expect(accepted(events, "delete", "pods").filter((e) => e.from === controller("replicaset-controller"))).toHaveLength(
    2,
  );
  for (const last of gone(events)) {
    const uid = String(last.object?.uid);
    const stops = calls(events, uid).map((e) => e.verb);
    expect(stops).toEqual(expect.arrayContaining(["ContainerExited", "StopContainer", "StopPodSandbox"]));
    const marked = events.find(
      (e) => e.kind === "etcd" && e.object?.uid === uid && value(e)?.metadata?.deletionTimestamp,
    );
    expect(marked?.seq, "first the row says that the pod is to go, then the row goes").toBeLessThan(last.seq);
  }
  await stage.idle();
  await expect(stage.pods("web-")).toHaveCount(1);
  await drewExactly(stage, events);

  before = await dashboard.lastSeq();
  await stage.catchUp();
  await terminal.run("kubectl delete deployment web");
  await expect(terminal.output).toContainText('deployment.apps "web" deleted');
  events = await dashboard.eventsWhen("the last pod is gone from etcd", before, (all) => gone(all).length === 1);
  expect(accepted(events, "delete", "deployments").map((e) => e.from)).toEqual([learner]);
  expect(accepted(events, "delete", "replicasets").map((e) => e.from)).toEqual([
    controller("generic-garbage-collector"),
  ]);
  expect(inOrder(events)).toEqual([]);
  expect(oneRevisionPerWrite(events)).toEqual([]);
  await stage.idle();
  await expect(stage.pods("web-")).toHaveCount(0);
  await drewExactly(stage, events);
});

test("what is refused turns back and changes nothing", async ({ dashboard, page }) => {
  const stage = new Stage(page);
  const terminal = new Console(page);
  const before = await dashboard.lastSeq();
  await stage.open(dashboard.url, "/en/");
  await terminal.run("kubectl create deployment other --image=nginx --as=nobody");
  await expect(terminal.output).toContainText('User "nobody" cannot create resource "deployments"');
  const events = await dashboard.eventsWhen("a refused request", before, (all) =>
    all.some((e) => e.kind === "request" && e.code === 403 && e.verb === "create"),
  );
  const refused = events.find((e) => e.code === 403 && e.verb === "create");
  // What it went through inside the kube-apiserver is told; nothing else follows from it.
  expect(events.filter((e) => e.kind !== "span" && e.causes?.some((c) => c.seq === refused?.seq))).toEqual([]);
  // Live, all this comes and goes; here it stands still.
  await stage.seek(refused?.seq ?? 0);
  await expect(stage.svg.locator(`[data-token="${refused?.seq}"]`)).toBeAttached();
  await expect(stage.svg.locator(".gate-authz.is-refused")).toBeAttached();
  await expect(stage.svg.locator(".gate-admission.is-unreached")).toBeAttached();
});

/** Every event of the story was drawn as a token, nothing else of these objects was, and causes came first. */
async function drewExactly(stage: Stage, events: KubeEvent[]): Promise<void> {
  const story = storyOf(events);
  const wanted = story.filter(drawable).map((e) => e.seq);
  const first = events[0]?.seq ?? 1;
  const last = events.at(-1)?.seq ?? 0;

  const live = await stage.drawnLive(first - 1);
  expect(live, "the live view draws in the log's order").toEqual([...live].sort((a, b) => a - b));
  expect(live.filter((seq) => wanted.includes(seq))).toEqual(wanted);

  const order = await stage.tokensBetween(first - 1, last);
  const bySeq = new Map(events.map((e) => [e.seq, e]));
  expect(
    order.filter((seq) => !bySeq.has(seq)),
    "tokens without an event",
  ).toEqual([]);
  expect(order.filter((seq) => story.some((e) => e.seq === seq))).toEqual(wanted);
  for (const [i, seq] of order.entries()) {
    for (const cause of bySeq.get(seq)?.causes ?? []) {
      const at = order.indexOf(cause.seq);
      if (at > i) throw new Error(`token ${seq} was drawn before its cause ${cause.seq}`);
    }
  }
}

function gone(events: KubeEvent[]): KubeEvent[] {
  return events.filter((e) => e.kind === "etcd" && e.verb === "delete" && e.object?.resource === "pods");
}
