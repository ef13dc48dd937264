// A recording that is inside the page, as a source: it is read once, and
// nothing comes after it.
import { signal } from "@preact/signals-core";
import type { Place } from "../address.ts";
import { instant } from "../wire/instant.ts";
import type { EventLog } from "../wire/log.ts";
import { type Header, numberHere, readRecording } from "../wire/recording.ts";
import type { Link } from "../wire/socket.ts";
import type { Audience, Source } from "./source.ts";

export class Embedded implements Source {
  readonly link = signal<Link>("open");
  readonly recorded = true;
  known = Number.POSITIVE_INFINITY;
  header: Header = { log: "", events: 0, end: "" };

  constructor(private readonly base64: string) {}

  now(): number {
    return instant(this.header.end);
  }

  open(log: EventLog, audience: Audience): void {
    void readRecording(this.base64).then(({ header, id, events }) => {
      this.header = header;
      this.known = events.length;
      log.reset(id, 1);
      audience.begun();
      log.append(events);
      audience.came(events);
      audience.read();
    });
  }

  /** A place in the log this was taken from, as a place here; other places stay as they are. */
  here(p: Place): Place {
    const { header } = this;
    if (p.log !== header.log) return p;
    const number = (seq: number) => numberHere(header, seq);
    return {
      ...p,
      log: "",
      at: p.at === null ? null : this.before(p.at),
      story: number(p.story),
      compared: number(p.compared),
      focus: p.focus?.type === "event" ? { ...p.focus, seq: number(p.focus.seq) } : p.focus,
    };
  }

  /** The last event here that had happened at an event there. */
  private before(seq: number): number {
    let last = 0;
    let before = 0;
    for (const [first, many] of this.header.origin ?? []) {
      if (first <= seq) last = before + Math.min(many, seq - first + 1);
      before += many;
    }
    return Math.max(1, last);
  }
}
