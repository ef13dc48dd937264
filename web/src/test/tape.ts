// Test data: a made-up cluster that writes the events a real one would write,
// in the shape docs/events.md gives them. No test of the product's truth may
// rest on it; it is for the drawing, the time and the words.
import type { KubeEvent, KubeObject } from "../wire/event.ts";

const T0 = Date.parse("2026-11-21T09:00:00Z");

export class Tape {
  readonly events: KubeEvent[] = [];
  private now = 0; // microseconds
  private rev = 100;
  private ids = 0;
  readonly versions = new Map<string, { version: number; create: string }>();

  /** Lets time pass, in milliseconds. */
  wait(ms: number): this {
    this.now += Math.round(ms * 1000);
    return this;
  }

  private stamp(us: number): string {
    const ms = Math.floor(us / 1000);
    return new Date(T0 + ms).toISOString().replace("Z", `${String(us % 1000).padStart(3, "0")}000Z`);
  }

  add(e: Partial<KubeEvent> & Pick<KubeEvent, "kind" | "from" | "verb">, tookMs = 0): KubeEvent {
    const start = this.now;
    this.now += Math.round(tookMs * 1000);
    const event: KubeEvent = {
      seq: this.events.length + 1,
      start: this.stamp(start),
      end: this.stamp(this.now),
      evidence: { how: "observed", source: "audit", id: `id-${++this.ids}` },
      ...e,
    };
    this.events.push(event);
    return event;
  }

  uid(): string {
    return `uid-${++this.ids}`;
  }

  component(to: string, verb: string, detail: Record<string, unknown> = {}): KubeEvent {
    return this.wait(3).add({
      kind: "component",
      from: "kubestage",
      to,
      verb,
      detail: { pid: 4000 + this.ids, ...detail },
      evidence: { how: "observed", source: "supervisor", id: "pid" },
    });
  }

  request(
    from: string,
    verb: string,
    object: KubeObject,
    detail: Record<string, unknown> = {},
    code = verb === "create" ? 201 : 200,
    causes: KubeEvent[] = [],
    how = "uid",
  ): KubeEvent {
    return this.wait(1.2).add(
      {
        kind: "request",
        from,
        to: "kube-apiserver",
        verb,
        code,
        object,
        causes: causes.map((c) => ({ seq: c.seq, how })),
        detail: {
          userAgent: from === "kubernetes-admin" ? "kubectl/v1.36.3 (linux/amd64)" : "component",
          groups: ["system:authenticated"],
          decision: code === 403 ? "forbid" : "allow",
          reason: 'RBAC: allowed by ClusterRoleBinding "x"',
          ...detail,
        },
      },
      2.3,
    );
  }

  /** A request that is accepted and stored. */
  write(
    from: string,
    verb: string,
    object: KubeObject,
    value: Record<string, unknown> | null,
    causes: KubeEvent[] = [],
    detail: Record<string, unknown> = {},
    how = "uid",
  ): KubeEvent {
    const revision = String(++this.rev);
    const request = this.request(from, verb, object, detail, verb === "create" ? 201 : 200, causes, how);
    if (!object.subresource || object.subresource === "status") request.revision = revision;
    const path = object.resource === "nodes" ? "minions" : object.resource;
    const key = `/registry/${[path, object.namespace, object.name].filter(Boolean).join("/")}`;
    const was = this.versions.get(key);
    const mine = { version: (was?.version ?? 0) + 1, create: was?.create ?? revision };
    if (value) this.versions.set(key, mine);
    else this.versions.delete(key);
    const { subresource: _, ...plain } = object;
    return this.add({
      kind: "etcd",
      from: "kube-apiserver",
      to: "etcd",
      verb: value ? "put" : "delete",
      object: plain,
      revision,
      causes: [{ seq: request.seq, how: "revision" }],
      evidence: { how: "observed", source: "etcd", id: `${key}@${revision}` },
      detail: { key, version: mine.version, createRevision: mine.create, bytes: 900, ...(value ? { value } : {}) },
    });
  }

  /** The link between a client and its server changes. */
  link(name: string, verb: "cut" | "delayed" | "healed", delay = 0): KubeEvent {
    return this.add({
      kind: "link",
      from: "kubestage",
      to: name,
      verb,
      evidence: { how: "observed", source: "supervisor" },
      detail: { link: name, by: "learner", ...(delay ? { delay } : {}) },
    });
  }

  /** What a request went through inside the kube-apiserver. */
  span(request: KubeEvent, ...steps: { step: string; refused?: boolean; attributes?: object }[]): KubeEvent {
    return this.add({
      kind: "span",
      from: "kube-apiserver",
      to: "kube-apiserver",
      verb: "request",
      object: request.object,
      causes: [{ seq: request.seq, how: "auditID" }],
      evidence: { how: "observed", source: "otel" },
      detail: { steps: steps.map((s, i) => ({ start: i * 1e6, end: i * 1e6 + 5e5, source: "otel", ...s })) },
    });
  }

  tell(put: KubeEvent, type: "ADDED" | "MODIFIED" | "DELETED", ...watchers: string[]): KubeEvent {
    let last = put;
    for (const to of watchers) {
      last = this.wait(0.2).add({
        kind: "watch",
        from: "kube-apiserver",
        to,
        verb: type,
        object: put.object,
        revision: put.revision,
        causes: [{ seq: put.seq, how: "revision" }],
        evidence: { how: "inferred", source: "audit", id: `watch-${to}` },
        detail: { userAgent: "component" },
      });
    }
    return last;
  }

  cri(
    node: string,
    verb: string,
    pod: KubeObject,
    causes: KubeEvent[],
    detail: Record<string, unknown> = {},
    tookMs = 3,
  ): KubeEvent {
    const exited = verb === "ContainerExited";
    return this.wait(0.5).add(
      {
        kind: "cri",
        from: exited ? `runtime:${node}` : `system:node:${node}`,
        to: exited ? undefined : `runtime:${node}`,
        verb,
        object: pod,
        causes: causes.map((c) => ({ seq: c.seq, how: "podSandbox" })),
        evidence: { how: "observed", source: "cri", id: `${node}/${++this.ids}` },
        detail: { node, ...detail },
      },
      tookMs,
    );
  }
}

export const learner = "kubernetes-admin";
const kcm = "system:kube-controller-manager";
const scheduler = "system:kube-scheduler";
const account = (c: string) => `system:serviceaccount:kube-system:${c}`;
export const nodeNames = ["node-1", "node-2", "node-3"];

function nodeValue(name: string, i: number, ready: boolean) {
  return {
    metadata: { name, labels: { "topology.kubernetes.io/zone": `zone-${"abc"[i % 3]}` } },
    spec: { taints: ready ? [] : [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }] },
    status: {
      capacity: { cpu: "4", memory: "8388608Ki", pods: "110" },
      addresses: [{ type: "InternalIP", address: `10.0.0.${11 + i}` }],
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
      nodeInfo: { containerRuntimeVersion: "kubestage-programs://0.1.0" },
    },
  };
}

/** The cluster comes up: components, nodes, and the watches they open. */
export function boot(t: Tape, names = nodeNames): Tape {
  t.component("etcd", "starting");
  t.wait(300).component("etcd", "ready");
  t.component("kube-apiserver", "starting", { needs: ["etcd"] });
  t.wait(2400).component("kube-apiserver", "ready");
  t.write(
    "kubestage",
    "create",
    {
      group: "rbac.authorization.k8s.io",
      version: "v1",
      resource: "clusterrolebindings",
      name: "kubeadm:cluster-admins",
      uid: t.uid(),
    },
    { metadata: {} },
  );
  for (const c of ["kube-controller-manager", "kube-scheduler", ...names.map((n) => `kubelet:${n}`)])
    t.component(c, "starting", { needs: ["kube-apiserver"] });
  t.wait(500);
  for (const c of ["kube-controller-manager", "kube-scheduler"]) t.component(c, "ready");
  const watchers: [string, string][] = [
    [scheduler, "pods"],
    [kcm, "pods"],
    [kcm, "deployments"],
    [kcm, "replicasets"],
    [scheduler, "nodes"],
    [kcm, "nodes"],
    ...names.map((n): [string, string] => [`system:node:${n}`, "pods"]),
  ];
  for (const [who, resource] of watchers) t.request(who, "watch", { version: "v1", resource }, {}, 200);
  names.forEach((name, i) => {
    const o: KubeObject = { version: "v1", resource: "nodes", name, uid: `uid-${name}` };
    const put = t.write(`system:node:${name}`, "create", o, nodeValue(name, i, false));
    t.tell(put, "ADDED", scheduler, kcm);
    t.write(account("node-controller"), "patch", o, nodeValue(name, i, false));
    t.component(`kubelet:${name}`, "ready");
  });
  names.forEach((name, i) => {
    t.write(
      `system:node:${name}`,
      "patch",
      { version: "v1", resource: "nodes", subresource: "status", name, uid: `uid-${name}` },
      nodeValue(name, i, true),
    );
  });
  return t;
}

/** A second of heartbeats. */
export function heartbeat(t: Tape, names = nodeNames): Tape {
  for (const n of names) {
    t.wait(200).write(
      `system:node:${n}`,
      "update",
      {
        group: "coordination.k8s.io",
        version: "v1",
        resource: "leases",
        namespace: "kube-node-lease",
        name: n,
        uid: `lease-${n}`,
      },
      { spec: {} },
    );
  }
  return t.wait(400);
}

export interface PodSpec {
  name: string;
  uid: string;
  node?: string;
  phase?: string;
  ready?: boolean;
  state?: Record<string, unknown>;
  deleted?: boolean;
}

export function podValue(p: PodSpec): Record<string, unknown> {
  return {
    metadata: {
      name: p.name,
      namespace: "default",
      uid: p.uid,
      ...(p.deleted ? { deletionTimestamp: "2026-11-21T09:01:00Z" } : {}),
    },
    spec: { containers: [{ name: "nginx", image: "nginx" }], ...(p.node ? { nodeName: p.node } : {}) },
    status: {
      phase: p.phase ?? "Pending",
      conditions: [{ type: "Ready", status: p.ready ? "True" : "False" }],
      containerStatuses: p.state ? [{ name: "nginx", ready: p.ready ?? false, restartCount: 0, state: p.state }] : [],
    },
  };
}

/** kubectl create deployment NAME --replicas=N, from the command to Running. */
export function createDeployment(t: Tape, name = "web", replicas = 3): Tape {
  const dep: KubeObject = {
    group: "apps",
    version: "v1",
    resource: "deployments",
    namespace: "default",
    name,
    uid: t.uid(),
  };
  const made = t.write(learner, "create", dep, { metadata: { name } });
  t.tell(made, "ADDED", kcm);
  const hash = "6d4b9c7f5d";
  const rs: KubeObject = {
    group: "apps",
    version: "v1",
    resource: "replicasets",
    namespace: "default",
    name: `${name}-${hash}`,
    uid: t.uid(),
  };
  const rsMade = t.write(
    account("deployment-controller"),
    "create",
    rs,
    { metadata: { name: rs.name, ownerReferences: [{ uid: dep.uid }] } },
    [made],
    {},
    "ownerReference",
  );
  t.tell(rsMade, "ADDED", kcm);
  const pods: { o: KubeObject; made: KubeEvent }[] = [];
  for (let i = 0; i < replicas; i++) {
    const o: KubeObject = {
      version: "v1",
      resource: "pods",
      namespace: "default",
      name: `${name}-${hash}-${"bcdfgh"[i % 6]}x${i}k2`,
      uid: t.uid(),
    };
    const put = t.write(
      account("replicaset-controller"),
      "create",
      o,
      podValue({ name: o.name!, uid: o.uid! }),
      [rsMade],
      {},
      "ownerReference",
    );
    t.tell(put, "ADDED", scheduler, kcm);
    pods.push({ o, made: put });
  }
  const running: (() => void)[] = [];
  pods.forEach(({ o, made: put }, i) => {
    const node = nodeNames[(i + 1) % nodeNames.length]!;
    const cycle = t.wait(1).add(
      {
        kind: "schedule",
        from: scheduler,
        verb: "schedule",
        object: o,
        causes: [{ seq: put.seq, how: "revision" }],
        evidence: { how: "observed", source: "scheduler", id: String(i + 1) },
        detail: {
          result: "scheduled",
          node,
          attempt: 1,
          evaluated: 3,
          feasible: i === 0 ? 2 : 3,
          nodes: nodeNames.map((n, j) =>
            i === 0 && j === 0
              ? { name: n, rejected: { plugin: "NodeResourcesFit", reason: "Insufficient cpu" } }
              : {
                  name: n,
                  scores: { NodeResourcesFit: 90 - j, PodTopologySpread: n === node ? 200 : 150 },
                  total: (n === node ? 584 : 500) + j,
                },
          ),
        },
      },
      1.4,
    );
    const bound = t.write(
      scheduler,
      "create",
      { ...o, subresource: "binding" },
      podValue({ name: o.name!, uid: o.uid!, node }),
      [cycle],
      { request: { target: { kind: "Node", name: node } } },
      "binding",
    );
    t.tell(bound, "MODIFIED", `system:node:${node}`, scheduler, kcm);
    running.push(() => startPod(t, o, node, bound));
  });
  for (const r of running) r();
  return t;
}

function startPod(t: Tape, o: KubeObject, node: string, bound: KubeEvent): void {
  const kubelet = `system:node:${node}`;
  const status = { ...o, subresource: "status" };
  const run = t.cri(node, "RunPodSandbox", o, [bound], { ip: `10.244.${node.slice(-1)}.2` }, 12);
  const creating = t.write(
    kubelet,
    "patch",
    status,
    podValue({ name: o.name!, uid: o.uid!, node, state: { waiting: { reason: "ContainerCreating" } } }),
    [run],
  );
  t.tell(creating, "MODIFIED", kcm);
  const pull = t.cri(node, "PullImage", o, [run], { image: "nginx", containerName: "nginx" }, 40);
  const event: KubeObject = {
    version: "v1",
    resource: "events",
    namespace: "default",
    name: `${o.name}.1`,
    uid: t.uid(),
  };
  t.write(kubelet, "create", event, { reason: "Pulled" }, [bound]);
  const made = t.cri(node, "CreateContainer", o, [pull], { containerName: "nginx", image: "nginx" });
  const started = t.cri(node, "StartContainer", o, [made], {
    containerName: "nginx",
    image: "nginx",
    standIn: "http server",
  });
  const up = t.write(
    kubelet,
    "patch",
    status,
    podValue({ name: o.name!, uid: o.uid!, node, phase: "Running", ready: true, state: { running: {} } }),
    [started],
  );
  t.tell(up, "MODIFIED", kcm, scheduler);
}

/** kubectl delete pod: the two writes of a deletion, and what the node does between them. */
export function deletePod(t: Tape, o: KubeObject, node: string): Tape {
  const value = podValue({
    name: o.name!,
    uid: o.uid!,
    node,
    phase: "Running",
    ready: true,
    state: { running: {} },
    deleted: true,
  });
  const marked = t.write(learner, "delete", o, value);
  t.tell(marked, "MODIFIED", `system:node:${node}`, kcm);
  const stop = t.cri(node, "StopContainer", o, [marked], { containerName: "nginx" }, 20);
  t.cri(node, "ContainerExited", o, [stop], { containerName: "nginx", exitCode: 0, reason: "Completed" });
  t.cri(node, "StopPodSandbox", o, [stop]);
  const gone = t.write(`system:node:${node}`, "delete", o, null, [marked]);
  t.tell(gone, "DELETED", kcm, scheduler);
  return t;
}

/** Everything the other scenarios have, once. */
export function everything(): Tape {
  const t = new Tape();
  boot(t);
  heartbeat(heartbeat(t));
  t.wait(4000);
  createDeployment(t);
  heartbeat(t.wait(2500));
  const pod = t.events.find((e) => e.kind === "etcd" && e.object?.resource === "pods")!.object!;
  deletePod(t, pod, "node-2");
  t.wait(900);
  t.request(
    learner,
    "get",
    { version: "v1", resource: "pods", namespace: "default", name: "nope" },
    { message: 'pods "nope" not found' },
    404,
  );
  t.wait(900).request(
    "jane",
    "delete",
    { version: "v1", resource: "nodes", name: "node-1" },
    { message: 'nodes "node-1" is forbidden' },
    403,
  );
  return t;
}

/** A long log: as many deployments as it takes. */
export function long(events: number): Tape {
  const t = new Tape();
  boot(t);
  for (let i = 0; t.events.length < events; i++) {
    createDeployment(t, `app${i}`, 2);
    heartbeat(t);
  }
  return t;
}
