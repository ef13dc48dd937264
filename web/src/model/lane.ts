// The foreground and the quiet lane. A cluster's heartbeats (leases, node
// status), its Events, the reading its components do and the setting up the
// apiserver does for itself happen all the time: they are counted and shown
// small. What somebody did, and what follows from it, is the foreground.
import type { KubeEvent } from "../wire/event.ts";
import { actorOf } from "./actor.ts";

export type Quiet = "leases" | "nodeStatus" | "events" | "reads" | "setup" | "probes";
/** "inside": what an event of another lane looks like from inside; shown with it, never by itself. */
export type Lane = "foreground" | "inside" | Quiet;

export const quietLanes: readonly Quiet[] = ["leases", "nodeStatus", "events", "reads", "setup", "probes"];

const reads = new Set(["get", "list", "watch", "head", "options"]);
const reviews = new Set([
  "tokenreviews",
  "subjectaccessreviews",
  "localsubjectaccessreviews",
  "selfsubjectaccessreviews",
  "selfsubjectrulesreviews",
  "selfsubjectreviews",
]);
const quietCalls = new Set(["ImageStatus", "ReopenContainerLog", "ExecSync", "UpdateContainerResources"]);

export const isRead = (e: KubeEvent) => e.kind === "request" && reads.has(e.verb);

/** The lane of an event; laneOf answers for its causes. */
export function laneFor(e: KubeEvent, laneOf: (seq: number) => Lane | undefined): Lane {
  switch (e.kind) {
    case "request":
      return requestLane(e);
    case "etcd": {
      if (e.verb === "range") return "setup";
      const caused = causeLane(e, laneOf, "auditID", "revision", "object");
      return caused ?? (e.object?.name ? byResource(e) : byKey(String(e.detail?.key ?? "")));
    }
    case "watch":
      // What the apiserver tells itself, for its own caches, is nobody's news;
      // and kube-proxy's one user does not say on which node it hears.
      if (e.verb === "BOOKMARK" || ["apiserver", "proxy"].includes(actorOf(e.to ?? "").role)) return "reads";
      return causeLane(e, laneOf, "revision") ?? byResource(e);
    case "cri":
      return quietCalls.has(e.verb) ? "probes" : "foreground";
    case "probe":
      return "probes";
    case "span":
      return "inside";
    default:
      return "foreground";
  }
}

function causeLane(e: KubeEvent, laneOf: (seq: number) => Lane | undefined, ...hows: string[]): Lane | undefined {
  for (const c of e.causes ?? []) if (hows.includes(c.how)) return laneOf(c.seq);
  return undefined;
}

function requestLane(e: KubeEvent): Lane {
  const o = e.object;
  const from = actorOf(e.from);
  const person = from.role === "person" || from.role === "workload";
  if (!o) return "reads";
  if (o.resource === "leases") return "leases";
  if (reads.has(e.verb)) return person || e.code === 401 || e.code === 403 ? "foreground" : "reads";
  if (o.resource === "events" && !person) return "events";
  if (o.resource === "nodes" && o.subresource === "status" && !person) return "nodeStatus";
  if (reviews.has(o.resource) || o.subresource === "token") return "reads";
  if (from.role === "apiserver") return "setup";
  if (from.name === "kube-controller-manager" && o.resource === "serviceaccounts") return "setup";
  return "foreground";
}

function byResource(e: KubeEvent): Lane {
  switch (e.object?.resource) {
    case "leases":
      return "leases";
    case "events":
      return "events";
    case "nodes":
      return e.verb === "MODIFIED" || (e.kind === "etcd" && e.detail?.version !== 1) ? "nodeStatus" : "foreground";
    default:
      return "foreground";
  }
}

function byKey(key: string): Lane {
  if (key.includes("leases")) return "leases"; // also the apiserver's own masterleases
  if (key.startsWith("/registry/events")) return "events";
  return "setup";
}
