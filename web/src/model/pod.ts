// How a pod is, as its own object says. Nothing here is guessed from what
// components did.

export type PodPhase =
  | "pending" // nobody has chosen a node
  | "creating" // has a node, its containers do not run yet
  | "running" // containers run, not all are ready
  | "ready"
  | "crashloop"
  | "image" // its image cannot be had
  | "terminating"
  | "succeeded"
  | "failed";

export type ContainerLook = "waiting" | "running" | "ready" | "done" | "failed";

export interface ContainerView {
  name: string;
  look: ContainerLook;
  reason: string;
  restarts: number;
}

export interface PodView {
  uid: string;
  key: string;
  namespace: string;
  name: string;
  node: string;
  phase: PodPhase;
  /** The state in the object's own words: "Running", "CrashLoopBackOff". */
  says: string;
  containers: ContainerView[];
  /** The event that showed it so. */
  seq: number;
}

interface ContainerState {
  waiting?: { reason?: string };
  running?: object;
  terminated?: { reason?: string; exitCode?: number };
}
interface ContainerStatus {
  name: string;
  ready?: boolean;
  restartCount?: number;
  state?: ContainerState;
}
export interface PodValue {
  metadata?: { name?: string; namespace?: string; uid?: string; deletionTimestamp?: string };
  spec?: { nodeName?: string; containers?: { name: string }[]; initContainers?: { name: string }[] };
  status?: {
    phase?: string;
    reason?: string;
    conditions?: { type: string; status: string; reason?: string }[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
}

export function podView(key: string, value: PodValue, seq: number): PodView {
  const containers = containerViews(value);
  const [phase, says] = phaseOf(value);
  return {
    uid: value.metadata?.uid ?? key,
    key,
    namespace: value.metadata?.namespace ?? "",
    name: value.metadata?.name ?? "",
    node: value.spec?.nodeName ?? "",
    phase,
    says,
    containers,
    seq,
  };
}

function containerViews(v: PodValue): ContainerView[] {
  const statuses = new Map((v.status?.containerStatuses ?? []).map((c) => [c.name, c]));
  return (v.spec?.containers ?? []).map(({ name }) => {
    const s = statuses.get(name);
    const look: ContainerLook = s?.state?.terminated
      ? s.state.terminated.exitCode === 0
        ? "done"
        : "failed"
      : s?.state?.running
        ? s.ready
          ? "ready"
          : "running"
        : "waiting";
    return {
      name,
      look,
      reason: s?.state?.waiting?.reason ?? s?.state?.terminated?.reason ?? "",
      restarts: s?.restartCount ?? 0,
    };
  });
}

function phaseOf(v: PodValue): [PodPhase, string] {
  const st = v.status ?? {};
  const phase = st.phase ?? "Pending";
  if (phase === "Succeeded") return ["succeeded", "Succeeded"];
  if (phase === "Failed") return ["failed", st.reason ?? "Failed"];
  if (v.metadata?.deletionTimestamp) return ["terminating", "Terminating"];
  for (const c of [...(st.initContainerStatuses ?? []), ...(st.containerStatuses ?? [])]) {
    const reason = c.state?.waiting?.reason ?? "";
    if (reason === "CrashLoopBackOff") return ["crashloop", reason];
    if (/^(ErrImage|ImagePull|InvalidImage)/.test(reason)) return ["image", reason];
    if (/^(CreateContainer|RunContainer).*Error$/.test(reason)) return ["failed", reason];
  }
  if (!v.spec?.nodeName) return ["pending", "Pending"];
  if (phase === "Running") {
    const ready = st.conditions?.some((c) => c.type === "Ready" && c.status === "True");
    const bad = (st.containerStatuses ?? []).find((c) => c.state?.terminated && c.state.terminated.exitCode !== 0);
    if (ready) return ["ready", "Running"];
    return bad ? ["crashloop", bad.state?.terminated?.reason ?? "Error"] : ["running", "Running"];
  }
  return ["creating", "ContainerCreating"];
}
