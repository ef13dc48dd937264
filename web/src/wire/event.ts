// The shape of an event on the wire, as docs/events.md describes it. Fields
// are only ever added by the server, and kinds and verbs we do not know are
// kept and shown as they are.

export interface KubeObject {
  group?: string;
  version?: string;
  resource: string;
  subresource?: string;
  namespace?: string;
  name?: string;
  uid?: string;
}

export interface Cause {
  seq: number;
  how: string;
}

export interface Evidence {
  how: "observed" | "inferred" | (string & {});
  source: string;
  id?: string;
}

export type Kind =
  | "request"
  | "span"
  | "etcd"
  | "watch"
  | "schedule"
  | "cri"
  | "probe"
  | "net"
  | "component"
  | "link"
  | "source"
  | (string & {});

export interface KubeEvent {
  seq: number;
  kind: Kind;
  start: string;
  end: string;
  from: string;
  to?: string;
  verb: string;
  code?: number;
  object?: KubeObject;
  revision?: string;
  causes?: Cause[];
  evidence: Evidence;
  detail?: Record<string, unknown>;
}

/** The place of an object without version, subresource and uid: "apps/deployments/default/web". */
export function objectKey(o: KubeObject): string {
  return [o.group, o.resource, o.namespace, o.name].filter(Boolean).join("/");
}
