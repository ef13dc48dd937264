// Who an actor is: the place in the picture that an exact user name of the
// audit log, or the name of a part, belongs to.

export type Role =
  | "person" // kubectl, a person, a program outside the cluster
  | "workload" // a service account of something that runs in the cluster
  | "kubestage"
  | "apiserver"
  | "etcd"
  | "controllers"
  | "scheduler"
  | "cloud"
  | "proxy" // kube-proxy, which has one user for all nodes
  | "kubelet"
  | "runtime";

export interface Actor {
  /** The exact name in the log. */
  id: string;
  role: Role;
  /** For display: "replicaset-controller", "kubelet", "kubernetes-admin". */
  name: string;
  node?: string;
}

const systemAccount = "system:serviceaccount:";
const controllerAccount =
  /^system:serviceaccount:kube-system:(.+-(?:controller|collector|autoscaler|binder|cleaner|publisher|migrator)|(?:expand|ttl)-.+)$/;
const cloudControllers = new Set(["route-controller", "service-controller", "cloud-node-controller", "cloud-provider"]);
const parts: Record<string, [Role, string]> = {
  "system:kube-scheduler": ["scheduler", "kube-scheduler"],
  "kube-scheduler": ["scheduler", "kube-scheduler"],
  "system:kube-controller-manager": ["controllers", "kube-controller-manager"],
  "kube-controller-manager": ["controllers", "kube-controller-manager"],
  "system:cloud-controller-manager": ["cloud", "cloud-controller-manager"],
  "cloud-controller-manager": ["cloud", "cloud-controller-manager"],
  "system:apiserver": ["apiserver", "kube-apiserver"],
  "kube-apiserver": ["apiserver", "kube-apiserver"],
  "system:kube-proxy": ["proxy", "kube-proxy"],
  etcd: ["etcd", "etcd"],
  kubestage: ["kubestage", "kubestage"],
};

const known = new Map<string, Actor>();

/** The actor of a name. Names are few, so each is looked at once. */
export function actorOf(id: string): Actor {
  let a = known.get(id);
  if (!a) {
    a = read(id);
    if (known.size < 4096) known.set(id, a);
  }
  return a;
}

function read(id: string): Actor {
  const part = parts[id];
  if (part) return { id, role: part[0], name: part[1] };
  for (const [prefix, role, name] of [
    ["system:node:", "kubelet", "kubelet"],
    ["kubelet:", "kubelet", "kubelet"],
    ["runtime:", "runtime", "runtime"],
  ] as const) {
    if (id.startsWith(prefix)) return { id, role, name, node: id.slice(prefix.length) };
  }
  const controller = controllerAccount.exec(id)?.[1];
  if (controller) return { id, role: cloudControllers.has(controller) ? "cloud" : "controllers", name: controller };
  if (id.startsWith(systemAccount))
    return { id, role: "workload", name: id.slice(systemAccount.length).replace(":", "/") };
  return { id, role: "person", name: id || "anonymous" };
}

/** The box of the picture the actor lives in: all controllers share one. */
export function placeOf(a: Actor): string {
  if (a.role === "kubelet" || a.role === "runtime") return `node:${a.node}`;
  if (a.role === "workload") return "person";
  return a.role;
}
