// What must be true of the log. Each function takes events and returns
// sentences about what is wrong; an empty list is what tests want.
import type { KubeEvent } from "../web/src/wire/event.ts";
import { short } from "./dashboard.ts";

export const learner = "kubernetes-admin";
export const scheduler = "system:kube-scheduler";
export const controller = (name: string) => `system:serviceaccount:kube-system:${name}`;
export const kubelet = (node: string) => `system:node:${node}`;
export const runtime = (node: string) => `runtime:${node}`;

/** Requests of a verb for a resource ("pods", "pods/binding") that were accepted. */
export function accepted(events: KubeEvent[], verbs: string | string[], resource: string): KubeEvent[] {
  return events.filter(
    (e) => e.kind === "request" && [verbs].flat().includes(e.verb) && resourceOf(e) === resource && ok(e),
  );
}

export function resourceOf(e: KubeEvent): string {
  return [e.object?.resource, e.object?.subresource].filter(Boolean).join("/");
}

/** What tests read of a stored object. */
interface Stored {
  metadata?: { name?: string; deletionTimestamp?: string; ownerReferences?: { uid: string }[] };
  spec?: { nodeName?: string; replicas?: number };
  status?: { phase?: string; readyReplicas?: number };
}

export function value(e: KubeEvent): Stored | undefined {
  return e.detail?.value as Stored | undefined;
}

/** The CRI calls for one pod, in order, that change something. */
export function calls(events: KubeEvent[], uid: string): KubeEvent[] {
  return events.filter((e) => e.kind === "cri" && e.object?.uid === uid);
}

function ok(e: KubeEvent): boolean {
  return e.code !== undefined && e.code >= 200 && e.code < 300;
}

/** Sequence numbers have no holes, and no event comes before its cause. */
export function inOrder(events: KubeEvent[]): string[] {
  const wrong: string[] = [];
  for (const [i, e] of events.entries()) {
    const before = events[i - 1];
    if (before && e.seq !== before.seq + 1) wrong.push(`${e.seq} follows ${before.seq}`);
    for (const cause of e.causes ?? []) {
      if (cause.seq >= e.seq) wrong.push(`the cause ${cause.seq} is not before ${short(e)}`);
    }
  }
  return wrong;
}

const writing = ["create", "update", "patch", "delete"];
// Answers that are computed and never stored.
const unstored = [
  "serviceaccounts/token",
  "tokenreviews",
  "subjectaccessreviews",
  "localsubjectaccessreviews",
  "selfsubjectaccessreviews",
  "selfsubjectrulesreviews",
  "selfsubjectreviews",
  "pods/eviction",
];
// What the apiserver keeps for itself, without a request.
const internal = [
  "/registry/masterleases/",
  "/registry/ranges/",
  "/registry/peerserverleases/",
  "/registry/leases/kube-system/apiserver-",
  "compact_rev_key",
];

/**
 * One etcd revision per accepted write. A write that changed nothing makes no
 * revision: its answer carries the revision that was there before.
 */
export function oneRevisionPerWrite(events: KubeEvent[]): string[] {
  const wrong: string[] = [];
  const bySeq = new Map(events.map((e) => [e.seq, e]));
  const stored = events.filter((e) => e.kind === "etcd" && e.verb !== "range");

  const revisions = new Map<string, KubeEvent[]>();
  for (const e of stored) revisions.set(e.revision!, [...(revisions.get(e.revision!) ?? []), e]);
  for (const [revision, holders] of revisions) {
    if (holders.length > 1)
      wrong.push(`revision ${revision} is told ${holders.length} times: ${holders.map(short).join("; ")}`);
  }

  const puts = new Map<number, KubeEvent[]>(); // by the request that made them
  for (const e of stored) {
    const requests = (e.causes ?? []).map((c) => bySeq.get(c.seq)).filter((c) => c?.kind === "request");
    const key = String(e.detail?.key ?? "");
    if (requests.length === 0 && !internal.some((part) => key.includes(part))) {
      const late = events.find((r) => r.kind === "request" && r.revision === e.revision && writing.includes(r.verb));
      wrong.push(`no request made ${short(e)}${late ? `; too late: ${short(late)}` : ""}`);
    }
    if (requests.length > 1) wrong.push(`${requests.length} requests made ${short(e)}`);
    for (const r of requests) puts.set(r!.seq, [...(puts.get(r!.seq) ?? []), e]);
  }
  for (const r of events) {
    if (
      r.kind !== "request" ||
      !writing.includes(r.verb) ||
      !ok(r) ||
      unstored.includes(resourceOf(r)) ||
      r.detail?.dryRun
    )
      continue;
    const made = puts.get(r.seq) ?? [];
    const changedNothing = made.length === 0 && r.revision !== undefined && revisionWasThere(r, revisions, events);
    // The kubelet's last delete of a pod first sets the time to live to zero
    // and then removes the row (registry/generic/registry/store.go, v1.36).
    const lastWord = r.verb === "delete" && resourceOf(r) === "pods" && made.map((e) => e.verb).join() === "put,delete";
    if (made.length !== 1 && !changedNothing && !lastWord) wrong.push(`${made.length} revisions for ${short(r)}`);
  }
  return wrong;
}

function revisionWasThere(r: KubeEvent, revisions: Map<string, KubeEvent[]>, events: KubeEvent[]): boolean {
  const holder = revisions.get(r.revision!)?.[0];
  return holder ? holder.seq < r.seq : Number(r.revision) < Number(events.find((e) => e.kind === "etcd")?.revision);
}

/** One pod's life from its row in etcd to Running, each step after its cause. */
export function podIsBorn(events: KubeEvent[], uid: string): string[] {
  const wrong: string[] = [];
  const first = (what: string, fits: (e: KubeEvent) => boolean): KubeEvent | undefined => {
    const found = events.find(fits);
    if (!found) wrong.push(`${uid}: the log has no ${what}`);
    return found;
  };
  const stored = first("row in etcd", (e) => e.kind === "etcd" && e.verb === "put" && e.object?.uid === uid);
  const told = first(
    "watch notification of the scheduler",
    (e) => e.kind === "watch" && e.verb === "ADDED" && e.to === scheduler && e.object?.uid === uid,
  );
  const cycle = first(
    "scheduling cycle",
    (e) => e.kind === "schedule" && e.object?.uid === uid && e.detail?.result === "scheduled",
  );
  const node = String(cycle?.detail?.node);
  const binding = first(
    "binding",
    (e) =>
      e.kind === "request" &&
      e.verb === "create" &&
      resourceOf(e) === "pods/binding" &&
      e.from === scheduler &&
      e.object?.name === stored?.object?.name &&
      ok(e),
  );
  const assigned = first(
    "row with a node",
    (e) => e.kind === "etcd" && e.object?.uid === uid && value(e)?.spec?.nodeName === node,
  );
  const noticed = first(
    `watch notification of ${node}`,
    (e) => e.kind === "watch" && e.verb === "ADDED" && e.to === kubelet(node) && e.object?.uid === uid,
  );
  const sandbox = first(
    "RunPodSandbox",
    (e) => e.kind === "cri" && e.verb === "RunPodSandbox" && e.object?.uid === uid,
  );
  const image = first("PullImage", (e) => e.kind === "cri" && e.verb === "PullImage" && e.object?.uid === uid);
  const container = first(
    "CreateContainer",
    (e) => e.kind === "cri" && e.verb === "CreateContainer" && e.object?.uid === uid,
  );
  const start = first(
    "StartContainer",
    (e) => e.kind === "cri" && e.verb === "StartContainer" && e.object?.uid === uid,
  );
  const running = first(
    "row that says Running",
    (e) => e.kind === "etcd" && e.object?.uid === uid && value(e)?.status?.phase === "Running",
  );

  const steps = [stored, told, cycle, binding, assigned, noticed, sandbox, image, container, start, running];
  for (const [i, e] of steps.entries()) {
    const before = steps[i - 1];
    if (e && before && e.seq <= before.seq) wrong.push(`too early: ${short(e)} before ${short(before)}`);
  }
  const expected: [KubeEvent | undefined, string, KubeEvent | undefined][] = [
    [told, "revision", stored],
    [cycle, "revision", stored],
    [binding, "binding", cycle],
    [assigned, "revision", binding],
    [noticed, "revision", assigned],
    [start, "podSandbox", undefined],
  ];
  const cause = events.find((e) => sandbox?.causes?.some((c) => c.how === "uid" && c.seq === e.seq));
  if (sandbox && (cause?.object?.uid !== uid || value(cause)?.spec?.nodeName !== node))
    wrong.push(`${short(sandbox)} does not name a row that has ${node}`);
  for (const [effect, how, cause] of expected) {
    const causes = effect?.causes?.filter((c) => c.how === how) ?? [];
    if (effect && (cause ? !causes.some((c) => c.seq === cause.seq) : causes.length === 0)) {
      wrong.push(`${short(effect)} does not name ${cause ? short(cause) : "a cause"} by ${how}`);
    }
  }
  for (const call of calls(events, uid)) {
    if (call.to !== runtime(node) && call.from !== runtime(node))
      wrong.push(`the pod is on ${node}, but ${short(call)}`);
  }
  const writers = accepted(events, ["create", "update", "patch"], "pods").concat(
    accepted(events, ["create", "update", "patch"], "pods/status"),
  );
  for (const { from } of writers.filter((e) => e.object?.name === stored?.object?.name)) {
    if (![learner, controller("replicaset-controller"), kubelet(node)].includes(from))
      wrong.push(`${from} wrote the pod`);
  }
  return wrong;
}

/** A cycle tells a verdict about every node it looked at, and scores when more than one passed. */
export function cycleIsComplete(cycle: KubeEvent, nodes: number): string[] {
  const wrong: string[] = [];
  const d = cycle.detail as {
    node: string;
    evaluated: number;
    feasible: number;
    nodes: {
      name: string;
      rejected?: { plugin: string; reason: string };
      scores?: Record<string, number>;
      total?: number;
    }[];
  };
  if (d.nodes.length !== nodes) wrong.push(`${short(cycle)} tells about ${d.nodes.length} of ${nodes} nodes`);
  const passed = d.nodes.filter((n) => !n.rejected);
  if (passed.length !== d.feasible)
    wrong.push(`${short(cycle)} says ${d.feasible} are feasible and tells ${passed.length}`);
  for (const n of passed) {
    const sum = Object.values(n.scores ?? {}).reduce((a, b) => a + b, 0);
    if (d.feasible > 1 && (!n.scores || n.total !== sum))
      wrong.push(`${n.name}: the scores ${JSON.stringify(n.scores)} do not make ${n.total}`);
    if (d.feasible === 1 && n.scores)
      wrong.push(`${n.name} has scores, but the scheduler does not score when one node passes`);
  }
  const best = Math.max(...passed.map((n) => n.total ?? 0));
  if (d.feasible > 1 && passed.find((n) => n.name === d.node)?.total !== best)
    wrong.push(`${d.node} was chosen without the best total ${best}`);
  return wrong;
}

/** The uid of the pod that a request created. */
export function uidOf(events: KubeEvent[], request: KubeEvent): string {
  const row = events.find((e) => e.kind === "etcd" && e.causes?.some((c) => c.seq === request.seq));
  return String(row?.object?.uid);
}

export function readyReplicas(e: KubeEvent): number | undefined {
  return e.kind === "etcd" ? value(e)?.status?.readyReplicas : undefined;
}

/** Events about the Deployments, ReplicaSets and Pods that the learner's requests touched. */
export function storyOf(events: KubeEvent[]): KubeEvent[] {
  const kinds = ["deployments", "replicasets", "pods"];
  return events.filter((e) => e.object?.name?.startsWith("web") && kinds.includes(e.object.resource));
}

/** What a viewer is owed a token for: not the reading that components do all day. */
export function drawable(e: KubeEvent): boolean {
  switch (e.kind) {
    case "request":
      return writing.includes(e.verb) || e.from === learner;
    case "watch":
      return e.verb !== "BOOKMARK"; // the list that a watch begins with
    case "cri":
      return e.verb !== "ImageStatus";
    default:
      return e.kind === "etcd" || e.kind === "schedule";
  }
}
