// The server's stream as a source: the log that grows, or a recording the
// server keeps.
import { type Signal, signal } from "@preact/signals-core";
import { type EventLog, KEEP } from "../wire/log.ts";
import { type Link, openStream } from "../wire/socket.ts";
import type { Audience, Source } from "./source.ts";

export class Stream implements Source {
  readonly link: Signal<Link> = signal("connecting");
  known = 0;
  /** The server's clock minus ours. */
  private skew = 0;

  /** recording names one that is played in place of the server's log; null for none. */
  constructor(
    private readonly recording: string | null,
    readonly recorded: boolean,
  ) {}

  now(): number {
    return Date.now() + this.skew;
  }

  open(log: EventLog, audience: Audience): void {
    const begin = (id: string, first: number) => {
      log.reset(id, first);
      audience.begun();
    };
    const news = () => {
      if (log.last >= this.known || log.last - log.first + 1 >= KEEP) audience.read();
    };
    openStream((after) => this.url(log.id, after), {
      after: () => (log.id ? log.last : 0),
      link: (state) => {
        this.link.value = state;
      },
      message: (m) => {
        switch (m.type) {
          case "hello":
            this.skew = Date.parse(m.now) - Date.now();
            this.known = m.last;
            if (log.id !== m.log) begin(m.log, Math.max(m.first, 1));
            if (m.last < m.first) audience.empty();
            break;
          case "events":
            log.append(m.events);
            audience.came(m.events);
            this.known = Math.max(this.known, log.last);
            news();
            break;
          case "gap":
            begin(log.id, m.first);
            break;
          case "ping":
            this.skew = Date.parse(m.now) - Date.now();
            this.known = Math.max(this.known, m.last);
            news();
            break;
        }
      },
    });
  }

  private url(id: string, after: number): string {
    const u = new URL("/api/stream", location.href);
    u.protocol = u.protocol === "https:" ? "wss:" : "ws:";
    u.searchParams.set("after", String(after));
    if (this.recording) u.searchParams.set("recording", this.recording);
    if (id) u.searchParams.set("log", id); // the server may have begun another one meanwhile
    return u.href;
  }
}
