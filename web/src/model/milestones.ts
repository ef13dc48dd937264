// Milestones: the moments one jumps to. What a person asked for, where a pod
// was sent, when it became ready or broke, when a component came or went.
import { type KubeEvent, objectKey } from "../wire/event.ts";
import { actorOf } from "./actor.ts";
import { isRead, type Lane } from "./lane.ts";
import { type PodPhase, type PodValue, podView } from "./pod.ts";

export type MilestoneKind = "person" | "decision" | "good" | "bad" | "component";
export interface Milestone {
  seq: number;
  kind: MilestoneKind;
}

const bad = new Set<PodPhase>(["crashloop", "failed", "image"]);

export class Milestones {
  readonly list: Milestone[] = [];
  private phases = new Map<string, PodPhase>();

  push(e: KubeEvent, lane: Lane): void {
    const kind = lane === "foreground" ? this.kindOf(e) : null;
    if (kind) this.list.push({ seq: e.seq, kind });
  }

  drop(before: number): void {
    const kept = this.list.findIndex((m) => m.seq >= before);
    this.list.splice(0, kept < 0 ? this.list.length : kept);
  }

  private kindOf(e: KubeEvent): MilestoneKind | null {
    switch (e.kind) {
      case "request":
        if ((e.code ?? 0) >= 400 && actorOf(e.from).role === "person") return "bad";
        return actorOf(e.from).role === "person" && !isRead(e) ? "person" : null;
      case "schedule":
        return (e.detail as { result?: string } | undefined)?.result === "scheduled" ? "decision" : "bad";
      case "component":
        if (e.verb === "exited") return "bad";
        return e.verb === "ready" ? "component" : null;
      case "etcd":
      case "watch":
        return e.object?.resource === "pods" && !e.object.group ? this.podMoved(e) : null;
      default:
        return null;
    }
  }

  private podMoved(e: KubeEvent): MilestoneKind | null {
    const value = e.detail?.value as PodValue | undefined;
    const uid = e.object?.uid ?? "";
    if (e.verb === "delete" || e.verb === "DELETED") {
      this.phases.delete(uid);
      return null;
    }
    if (!value) return null;
    const { phase } = podView(objectKey(e.object!), value, e.seq);
    const was = this.phases.get(uid);
    this.phases.set(uid, phase);
    if (phase === was) return null;
    return phase === "ready" || phase === "succeeded" ? "good" : bad.has(phase) ? "bad" : null;
  }
}
