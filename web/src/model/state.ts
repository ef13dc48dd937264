// Everything the picture needs to know at one moment of the log, and nothing
// of how it is drawn. A state is made by apply, one event after the other;
// the entries of its maps are never changed, only replaced, so that a copy is
// cheap.
import type { Quiet } from "./lane.ts";
import type { PodView } from "./pod.ts";

export interface KnownObject {
  key: string;
  resource: string;
  uid: string;
  /** The object as etcd or a watcher showed it last. */
  value: Record<string, unknown>;
  revision: string;
  seq: number;
}

export interface PlacedPod extends PodView {
  /** The pod's place in its node (or among those who wait), for life. */
  slot: number;
}

export interface NodeView {
  name: string;
  uid: string;
  slot: number;
  ready: boolean | null;
  address: string;
  zone: string;
  cpu: string;
  memory: string;
  runtime: string;
  taints: string[];
  unschedulable: boolean;
  seq: number;
}

export type Health = "unknown" | "starting" | "ready" | "exited" | "backoff" | "stopping" | "stopped" | "frozen";

export interface ComponentView {
  name: string;
  health: Health;
  /** What it was when it was frozen, and is again when it thaws. */
  thawed: Health;
  restarts: number;
  pid: number;
  exit: string;
  wait: number;
  lastLines: string[];
  seq: number;
}

/** The way of a client to the kube-apiserver, or of the kube-apiserver to etcd, when it is not whole. */
export interface LinkView {
  /** Named after its client: "kube-scheduler", "kubelet:node-1", "kubectl"; or "etcd". */
  name: string;
  state: "cut" | "delayed";
  /** In seconds. */
  delay: number;
  seq: number;
}

/** A write; or several quiet ones in a row, which share a line. */
export interface LedgerLine {
  revision: string;
  key: string;
  verb: string;
  seq: number;
  quiet: boolean;
  count: number;
  /** The oldest write of the line. */
  oldest: { seq: number; revision: string };
}

export interface ControllerView {
  name: string;
  /** Its place among the chips; -1 when it gave its place to one that was busier. */
  slot: number;
  seq: number;
  writes: number;
}

export interface ClientView {
  id: string;
  agent: string;
  slot: number;
  seq: number;
  requests: number;
}

export interface ClusterState {
  seq: number;
  /** Etcd's newest revision seen so far. */
  revision: string;
  ledger: readonly LedgerLine[];
  objects: Map<string, KnownObject>;
  pods: Map<string, PlacedPod>;
  /** The pods of each node in the order of their places; "" is for those who wait. A list is replaced, never changed. */
  there: Map<string, readonly PlacedPod[]>;
  nodes: Map<string, NodeView>;
  components: Map<string, ComponentView>;
  /** The links that are not whole, by name. */
  links: Map<string, LinkView>;
  controllers: Map<string, ControllerView>;
  /** Every controller that ever asked for anything, busy or not. */
  accounts: Set<string>;
  clients: Map<string, ClientView>;
  /** Who opened a watch on a resource: resource to exact user names. */
  watchers: Map<string, ReadonlySet<string>>;
  cloud: boolean;
  decision: number;
  request: number;
  /** The most pods one node ever held: decides how large a pod is drawn. */
  crowd: number;
  /** As many places as nodes ever had: decides how large a node is drawn. */
  rooms: number;
  quiet: Record<Quiet, number>;
  /** The latest beats of the quiet lane, oldest first. */
  beats: readonly Quiet[];
}

export const LEDGER = 16;
export const CHIPS = 6;
export const BEATS = 40;

const none: readonly PlacedPod[] = [];
/** The pods of a node; "" is for those who wait. */
export function podsOn(s: ClusterState, node: string): readonly PlacedPod[] {
  return s.there.get(node) ?? none;
}

export function emptyState(seq = 0): ClusterState {
  return {
    seq,
    revision: "",
    ledger: [],
    objects: new Map(),
    pods: new Map(),
    there: new Map(),
    nodes: new Map(),
    components: new Map(),
    links: new Map(),
    controllers: new Map(),
    accounts: new Set(),
    clients: new Map(),
    watchers: new Map(),
    cloud: false,
    decision: 0,
    request: 0,
    crowd: 0,
    rooms: 0,
    quiet: { leases: 0, nodeStatus: 0, events: 0, reads: 0, setup: 0, probes: 0 },
    beats: [],
  };
}

export function copyState(s: ClusterState): ClusterState {
  return {
    ...s,
    objects: new Map(s.objects),
    pods: new Map(s.pods),
    there: new Map(s.there),
    nodes: new Map(s.nodes),
    components: new Map(s.components),
    links: new Map(s.links),
    controllers: new Map(s.controllers),
    accounts: new Set(s.accounts),
    clients: new Map(s.clients),
    watchers: new Map(s.watchers),
    quiet: { ...s.quiet },
  };
}
