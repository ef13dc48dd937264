// apply tells a state about one event. It is the only thing that changes a
// state, it looks at nothing but its arguments, and what it does not know it
// leaves alone.
import { type KubeEvent, objectKey } from "../wire/event.ts";
import { actorOf } from "./actor.ts";
import type { Lane, Quiet } from "./lane.ts";
import { type PodValue, podView } from "./pod.ts";
import {
  BEATS,
  CHIPS,
  type ClusterState,
  type ComponentView,
  type Health,
  LEDGER,
  type NodeView,
  type PlacedPod,
  podsOn,
} from "./state.ts";

export function apply(s: ClusterState, e: KubeEvent, lane: Lane): void {
  s.seq = e.seq;
  if (lane !== "foreground" && lane !== "inside" && e.verb !== "range" && e.kind !== "watch") {
    // One beat for one heartbeat: what follows from it is not counted again.
    if (e.kind === "request" || e.kind === "cri" || e.kind === "probe" || !e.causes?.length) beat(s, lane);
  }
  switch (e.kind) {
    case "request":
      applyRequest(s, e, lane);
      break;
    case "etcd":
      applyEtcd(s, e, lane);
      break;
    case "watch":
      applyWatch(s, e);
      break;
    case "schedule":
      s.decision = e.seq;
      break;
    case "component":
      applyComponent(s, e);
      break;
    case "link":
      applyLink(s, e);
      break;
  }
}

function beat(s: ClusterState, lane: Quiet): void {
  s.quiet[lane]++;
  s.beats = s.beats.length < BEATS ? [...s.beats, lane] : [...s.beats.slice(1), lane];
}

function applyRequest(s: ClusterState, e: KubeEvent, lane: Lane): void {
  const from = actorOf(e.from);
  if (lane === "foreground") s.request = e.seq;
  if (from.role === "controllers" && from.name !== "kube-controller-manager") {
    s.accounts.add(from.name);
    if (lane === "foreground") busy(s, from.name, e.seq);
  }
  if (from.role === "cloud") s.cloud = true;
  if (from.role === "person" || from.role === "workload" || from.role === "kubestage") {
    const was = s.clients.get(e.from);
    s.clients.set(e.from, {
      id: e.from,
      agent: typeof e.detail?.userAgent === "string" ? e.detail.userAgent : (was?.agent ?? ""),
      slot: was?.slot ?? s.clients.size,
      seq: e.seq,
      requests: (was?.requests ?? 0) + 1,
    });
  }
  if (e.verb === "watch" && e.object && (e.code ?? 200) < 400) {
    const was = s.watchers.get(e.object.resource);
    if (!was?.has(e.from)) s.watchers.set(e.object.resource, new Set([...(was ?? []), e.from]));
  }
}

/** Gives a busy controller a chip: a free one, or that of the one idle the longest. */
function busy(s: ClusterState, name: string, seq: number): void {
  const was = s.controllers.get(name);
  let slot = was?.slot ?? -1;
  if (slot < 0) {
    const taken = [...s.controllers.values()].filter((c) => c.slot >= 0);
    const used = new Set(taken.map((c) => c.slot));
    slot = 0;
    while (used.has(slot)) slot++;
    if (slot >= CHIPS) {
      const idle = taken.reduce((a, b) => (b.seq < a.seq ? b : a));
      slot = idle.slot;
      s.controllers.set(idle.name, { ...idle, slot: -1 });
    }
  }
  s.controllers.set(name, { name, slot, seq, writes: (was?.writes ?? 0) + 1 });
}

function applyEtcd(s: ClusterState, e: KubeEvent, lane: Lane): void {
  if (e.revision && newer(e.revision, s.revision)) s.revision = e.revision;
  if (e.verb !== "range") enter(s, e, lane !== "foreground");
  if (!e.object?.name) return;
  if (e.verb === "delete") forget(s, e);
  else learn(s, e);
}

/** Writes a line of the ledger. */
function enter(s: ClusterState, e: KubeEvent, quiet: boolean): void {
  const revision = e.revision ?? "";
  const key = String(e.detail?.key ?? e.evidence.id?.replace(/@\d+$/, "") ?? "");
  const line = { revision, key, verb: e.verb, seq: e.seq, quiet, count: 1, oldest: { seq: e.seq, revision } };
  const top = s.ledger[0];
  if (quiet && top?.quiet) {
    s.ledger = [{ ...line, count: top.count + 1, oldest: top.oldest }, ...s.ledger.slice(1)];
  } else s.ledger = [line, ...s.ledger.slice(0, LEDGER - 1)];
}

function applyWatch(s: ClusterState, e: KubeEvent): void {
  if (!e.object?.name || !e.detail?.value) return;
  if (e.revision && newer(e.revision, s.revision)) s.revision = e.revision;
  if (e.verb === "DELETED") forget(s, e);
  else learn(s, e);
}

/** Revisions are opaque; when both are numbers the larger is the newer, else the one that came later. */
function newer(a: string, b: string): boolean {
  const x = Number(a);
  const y = Number(b);
  return Number.isNaN(x) || Number.isNaN(y) || x >= y;
}

function learn(s: ClusterState, e: KubeEvent): void {
  const o = e.object!;
  const value = e.detail?.value as Record<string, unknown> | undefined;
  if (!value) return;
  const key = objectKey(o);
  const uid = o.uid ?? (value.metadata as { uid?: string } | undefined)?.uid ?? key;
  s.objects.set(key, { key, resource: o.resource, uid, value, revision: e.revision ?? "", seq: e.seq });
  if (o.group) return;
  if (o.resource === "pods") placePod(s, key, uid, value as PodValue, e.seq);
  else if (o.resource === "nodes") placeNode(s, uid, value, e.seq);
}

function forget(s: ClusterState, e: KubeEvent): void {
  const o = e.object!;
  const key = objectKey(o);
  const was = s.objects.get(key);
  s.objects.delete(key);
  if (o.group) return;
  if (o.resource === "pods") leave(s, o.uid ?? was?.uid ?? key);
  else if (o.resource === "nodes") {
    const node = s.nodes.get(o.name!);
    s.nodes.delete(o.name!);
    // Its kubelet may still be there: the place stays, the object is gone.
    if (node && s.components.has(`kubelet:${o.name}`))
      s.nodes.set(o.name!, { ...unregistered(o.name!, node.slot), seq: e.seq });
  }
}

function placePod(s: ClusterState, key: string, uid: string, value: PodValue, seq: number): void {
  const view = { ...podView(key, value, seq), uid };
  const was = s.pods.get(uid);
  if (was && was.node !== view.node) leave(s, uid);
  const there = podsOn(s, view.node);
  const stays = was !== undefined && was.node === view.node;
  const slot = stays ? was.slot : freeSlot(there);
  const pod = { ...view, slot };
  s.pods.set(uid, pod);
  const i = placeOf(there, slot);
  s.there.set(view.node, there.toSpliced(i, stays ? 1 : 0, pod));
  if (view.node && slot >= s.crowd) s.crowd = slot + 1;
}

/** The first place nobody has. */
function freeSlot(there: readonly PlacedPod[]): number {
  const gap = there.findIndex((p, i) => p.slot !== i);
  return gap < 0 ? there.length : gap;
}

/** Where in a list the pod of a place is, or would be. */
function placeOf(there: readonly PlacedPod[], slot: number): number {
  const i = there.findIndex((p) => p.slot >= slot);
  return i < 0 ? there.length : i;
}

function leave(s: ClusterState, uid: string): void {
  const was = s.pods.get(uid);
  if (!was) return;
  s.there.set(
    was.node,
    podsOn(s, was.node).filter((p) => p !== was),
  );
  s.pods.delete(uid);
}

function placeNode(s: ClusterState, uid: string, value: Record<string, unknown>, seq: number): void {
  const v = value as {
    metadata?: { name?: string; labels?: Record<string, string> };
    spec?: { taints?: { key: string; effect: string }[]; unschedulable?: boolean };
    status?: {
      conditions?: { type: string; status: string }[];
      addresses?: { type: string; address: string }[];
      capacity?: { cpu?: string; memory?: string };
      nodeInfo?: { containerRuntimeVersion?: string };
    };
  };
  const name = v.metadata?.name ?? "";
  const ready = v.status?.conditions?.find((c) => c.type === "Ready")?.status;
  const node: NodeView = {
    name,
    uid,
    slot:
      s.nodes.get(name)?.slot ??
      slotFor(
        name,
        [...s.nodes.values()].map((n) => n.slot),
      ),
    ready: ready === undefined ? null : ready === "True",
    address: v.status?.addresses?.find((a) => a.type === "InternalIP")?.address ?? "",
    zone: v.metadata?.labels?.["topology.kubernetes.io/zone"] ?? "",
    cpu: v.status?.capacity?.cpu ?? "",
    memory: v.status?.capacity?.memory ?? "",
    runtime: v.status?.nodeInfo?.containerRuntimeVersion ?? "",
    taints: (v.spec?.taints ?? []).map((t) => t.key),
    unschedulable: v.spec?.unschedulable ?? false,
    seq,
  };
  settle(s, node);
}

function settle(s: ClusterState, node: NodeView): void {
  s.nodes.set(node.name, node);
  s.rooms = Math.max(s.rooms, node.slot + 1);
}

/** A node of which only the kubelet's process is known. */
function unregistered(name: string, slot: number): NodeView {
  return {
    name,
    uid: "",
    slot,
    ready: null,
    address: "",
    zone: "",
    cpu: "",
    memory: "",
    runtime: "",
    taints: [],
    unschedulable: false,
    seq: 0,
  };
}

/** node-3 stands third, whoever comes first; a node whose number says less takes what is free. */
function slotFor(name: string, used: number[]): number {
  const number = Number(/^node-(\d{1,3})$/.exec(name)?.[1] ?? /(\d{1,2})$/.exec(name)?.[1] ?? 0) - 1;
  const most = name.startsWith("node-") ? 200 : 8;
  if (number >= 0 && number < most && !used.includes(number)) return number;
  let slot = 0;
  while (used.includes(slot)) slot++;
  return slot;
}

const healths = new Set<string>(["starting", "ready", "exited", "backoff", "stopping", "stopped", "frozen"]);

function healthAfter(verb: string, was: ComponentView | undefined): Health {
  if (verb === "thawed") return was?.thawed ?? "unknown";
  if (verb === "killed") return "exited";
  return healths.has(verb) ? (verb as Health) : "unknown";
}

function applyComponent(s: ClusterState, e: KubeEvent): void {
  const name = e.to ?? "";
  const d = e.detail ?? {};
  const was = s.components.get(name);
  if (name.startsWith("cloud-controller-manager")) s.cloud = true;
  if (name.startsWith("kubelet:")) {
    const node = name.slice("kubelet:".length);
    const slots = [...s.nodes.values()].map((n) => n.slot);
    if (!s.nodes.has(node)) settle(s, { ...unregistered(node, slotFor(node, slots)), seq: e.seq });
  }
  s.components.set(name, {
    name,
    health: healthAfter(e.verb, was),
    thawed: e.verb === "frozen" ? (was?.health ?? "ready") : (was?.thawed ?? "ready"),
    restarts: Number(d.restarts ?? was?.restarts ?? 0),
    pid: Number(d.pid ?? was?.pid ?? 0),
    exit: String(d.exit ?? (e.verb === "ready" ? "" : (was?.exit ?? ""))),
    wait: Number(d.wait ?? 0),
    lastLines: Array.isArray(d.lastLines) ? d.lastLines.map(String) : (was?.lastLines ?? []),
    seq: e.seq,
  });
}

function applyLink(s: ClusterState, e: KubeEvent): void {
  const name = String(e.detail?.link ?? e.to ?? "");
  if (e.verb === "healed") s.links.delete(name);
  else if (e.verb === "cut" || e.verb === "delayed")
    s.links.set(name, { name, state: e.verb, delay: Number(e.detail?.delay ?? 0), seq: e.seq });
}
