// Where events come from: the server's stream (stream.ts), or the page itself.
import type { ReadonlySignal } from "@preact/signals-core";
import type { KubeEvent } from "../wire/event.ts";
import type { EventLog } from "../wire/log.ts";
import type { Link } from "../wire/socket.ts";

/** What a source tells beside the events themselves, which go into the log. */
export interface Audience {
  /** The log began anew: what follows is joined anew. */
  begun(): void;
  /** There is nothing yet. */
  empty(): void;
  came(events: readonly KubeEvent[]): void;
  /** All that there was when we came is in the log; told again and again. */
  read(): void;
}

export interface Source {
  readonly link: ReadonlySignal<Link>;
  /** Whether it is a recording: what comes has happened before, and ends. */
  readonly recorded: boolean;
  /** The last event the source has told of; those before it may still be on their way. */
  readonly known: number;
  /** Now, by the clock of the cluster. */
  now(): number;
  open(log: EventLog, audience: Audience): void;
}
