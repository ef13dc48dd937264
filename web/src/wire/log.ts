// The events this page holds: in order, without holes, bounded. A page keeps
// them so that any moment can be looked at again; what falls out at the old
// end is told to those who derive something from the log.
import type { LogView } from "../app.ts";
import type { KubeEvent } from "./event.ts";

/** What a log keeps before it lets go of the oldest tenth. */
export const KEEP = 40_000;
/** The same of a recording, of which nothing comes after its end. */
export const KEEP_RECORDING = 250_000;

export interface LogListener {
  append(events: readonly KubeEvent[]): void;
  /** The log began anew: another log ID, or events were missed. */
  reset(first: number): void;
  /** Events before this sequence number are about to be let go of. */
  dropping?(before: number): void;
}

export class EventLog implements LogView {
  id = "";
  first = 1;
  private events: KubeEvent[] = [];
  private listeners = new Set<LogListener>();

  constructor(private readonly keep = KEEP) {}

  get last(): number {
    return this.first + this.events.length - 1;
  }

  get(seq: number): KubeEvent | undefined {
    return this.events[seq - this.first];
  }

  range(from: number, to: number): KubeEvent[] {
    return this.events.slice(Math.max(0, from - this.first), Math.max(0, to - this.first + 1));
  }

  /** Starts over at a sequence number. */
  reset(id: string, first: number): void {
    this.id = id;
    this.first = first;
    this.events = [];
    for (const l of this.listeners) l.reset(first);
  }

  /**
   * Adds events. What is already there is skipped, so that a reader who
   * reconnects may ask for a little too much; a hole begins the log anew.
   */
  append(events: readonly KubeEvent[]): void {
    let fresh: readonly KubeEvent[] = events;
    const head = events[0];
    if (!head) return;
    if (head.seq <= this.last) fresh = events.filter((e) => e.seq > this.last);
    const next = fresh[0];
    if (!next) return;
    if (next.seq !== this.last + 1) this.reset(this.id, next.seq);
    for (const e of fresh) this.events.push(e);
    for (const l of this.listeners) l.append(fresh);
    if (this.events.length > this.keep) {
      const drop = Math.ceil(this.keep / 10);
      for (const l of this.listeners) l.dropping?.(this.first + drop);
      this.events.splice(0, drop);
      this.first += drop;
    }
  }

  listen(l: LogListener): () => void {
    this.listeners.add(l);
    return () => this.listeners.delete(l);
  }
}
