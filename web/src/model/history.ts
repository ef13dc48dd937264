// The state at any moment of the log: a snapshot every few hundred events and
// the events after it. Going back costs what going forward costs.
import type { KubeEvent } from "../wire/event.ts";
import type { EventLog } from "../wire/log.ts";
import { apply } from "./apply.ts";
import { type Lane, laneFor } from "./lane.ts";
import { type ClusterState, copyState, emptyState } from "./state.ts";

const EVERY = 500;

export class History {
  private first = 1;
  private lanes: Lane[] = [];
  /** Span events by the request they are about. */
  private spans = new Map<number, number>();
  /** Snapshots by the sequence number they are after, ascending. */
  private snapshots: ClusterState[] = [emptyState()];
  /** The state that was asked for last: mostly the next question is close to it. */
  private cursor: ClusterState = emptyState();

  constructor(private readonly log: EventLog) {
    log.listen({
      append: (events) => this.append(events),
      reset: (first) => this.reset(first),
      dropping: (before) => this.drop(before),
    });
    this.reset(log.first);
    this.append(log.range(log.first, log.last));
  }

  lane(seq: number): Lane | undefined {
    return this.lanes[seq - this.first];
  }

  /** The event that tells what a request went through inside the kube-apiserver. */
  span(request: number): KubeEvent | undefined {
    return this.log.get(this.spans.get(request) ?? 0);
  }

  /** The state after an event. It is shared: read it and let it go. */
  at(seq: number): ClusterState {
    seq = Math.min(Math.max(seq, this.first - 1), this.first - 1 + this.lanes.length);
    let from = this.cursor;
    if (from.seq > seq || seq - from.seq > EVERY) {
      const snapshot = this.snapshots[this.snapshotBefore(seq)]!;
      if (from.seq > seq || snapshot.seq > from.seq) from = copyState(snapshot);
    }
    for (let i = from.seq + 1; i <= seq; i++) this.apply(from, i);
    this.cursor = from;
    return from;
  }

  private apply(s: ClusterState, seq: number): void {
    const e = this.log.get(seq);
    if (e) apply(s, e, this.lanes[seq - this.first]!);
    s.seq = seq;
  }

  private snapshotBefore(seq: number): number {
    let lo = 0;
    let hi = this.snapshots.length - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >> 1;
      if (this.snapshots[mid]!.seq <= seq) lo = mid;
      else hi = mid - 1;
    }
    return lo;
  }

  private append(events: readonly KubeEvent[]): void {
    for (const e of events) {
      this.lanes.push(laneFor(e, (seq) => this.lane(seq)));
      if (e.kind === "span" && e.causes?.[0]) this.spans.set(e.causes[0].seq, e.seq);
      const newest = this.snapshots[this.snapshots.length - 1]!;
      if (e.seq - newest.seq >= EVERY) {
        const next = copyState(newest);
        for (let i = next.seq + 1; i <= e.seq; i++) this.apply(next, i);
        this.snapshots.push(next);
      }
    }
  }

  private reset(first: number): void {
    this.first = first;
    this.lanes = [];
    this.spans.clear();
    this.snapshots = [emptyState(first - 1)];
    this.cursor = emptyState(first - 1);
  }

  private drop(before: number): void {
    const base = copyState(this.at(before - 1));
    this.snapshots = [base, ...this.snapshots.filter((s) => s.seq >= before)];
    this.lanes.splice(0, before - this.first);
    for (const request of this.spans.keys()) if (request < before) this.spans.delete(request);
    this.first = before;
  }
}
