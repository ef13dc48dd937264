// Everything the log says was stored, by key: etcd's own account, or, on a
// cluster of which only watches are seen, the account of those. What is let
// go of leaves the last state it gave each key.
import { type KubeEvent, objectKey } from "../wire/event.ts";
import type { EventLog } from "../wire/log.ts";

export interface Entry {
  key: string;
  /** The last account of it. */
  newest: KubeEvent;
}

export class Ledger {
  private byKey = new Map<string, KubeEvent[]>();
  private keyOf = new Map<string, string>();
  /** All keys there ever were, in order; null when there is a new one. */
  private sorted: string[] | null = null;

  constructor(log: EventLog) {
    log.listen({
      append: (events) => {
        for (const e of events) this.push(e);
      },
      reset: () => {
        this.byKey.clear();
        this.sorted = null;
        this.keyOf.clear();
      },
      dropping: (before) => this.drop(before),
    });
    for (const e of log.range(log.first, log.last)) this.push(e);
  }

  private push(e: KubeEvent): void {
    const key = keyOf(e);
    if (!key) return;
    const known = this.byKey.get(key);
    if (known) known.push(e);
    else {
      this.byKey.set(key, [e]);
      this.sorted = null;
    }
    if (e.object?.name) this.keyOf.set(objectKey(e.object), key);
  }

  private drop(before: number): void {
    this.sorted = null;
    for (const [key, writes] of this.byKey) {
      let keep = writes.findIndex((e) => e.seq >= before);
      if (keep < 0) keep = writes.length;
      const base = writes[keep - 1];
      const kept = base && !isGone(base) ? writes.slice(keep - 1) : writes.slice(keep);
      if (kept.length) this.byKey.set(key, kept);
      else this.byKey.delete(key);
    }
  }

  /** The key under which an object was stored last. */
  keyOfObject(key: string): string | undefined {
    return this.keyOf.get(key);
  }

  /** What was told of a key until an event, oldest first. */
  writes(key: string, until: number): KubeEvent[] {
    const all = this.byKey.get(key) ?? [];
    return all.slice(0, countUntil(all, until));
  }

  /** The keys that exist right after an event, in order. */
  keys(at: number): Entry[] {
    this.sorted ??= [...this.byKey.keys()].sort();
    const out: Entry[] = [];
    for (const key of this.sorted) {
      const all = this.byKey.get(key) ?? [];
      const n = countUntil(all, at);
      const newest = all[n - 1];
      if (newest && !isGone(newest)) out.push({ key, newest });
    }
    return out;
  }
}

/** The key an event tells the content of, if it tells of any. */
export function keyOf(e: KubeEvent): string {
  if (e.kind === "etcd") return String(e.detail?.key ?? "");
  if (e.kind === "watch" && e.detail?.value && e.object?.name) return objectKey(e.object);
  return "";
}

export function isGone(e: KubeEvent): boolean {
  return e.verb === "delete" || e.verb === "DELETED";
}

function countUntil(all: readonly KubeEvent[], seq: number): number {
  let lo = 0;
  let hi = all.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (all[mid]!.seq <= seq) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}
