// window.kubestage: for tests and for the curious.
import type { KubeEvent } from "../wire/event.ts";
import type { Doings } from "./doings.ts";
import type { Theatre } from "./theatre.ts";

export interface Kubestage {
  /** Nothing waits: all the server told of is here, the playhead is at rest, nothing is to be drawn. */
  idle(): boolean;
  playhead(): number;
  live(): boolean;
  mode(): string;
  seek(seq: number): void;
  step(by: 1 | -1): void;
  play(): void;
  pause(): void;
  catchUp(): void;
  speed(speed: number): void;
  /** Foreground events in the order in which the stage drew them arriving. */
  drawn(): number[];
  /** What the log holds here: first and last sequence number, and the foreground. */
  log(): { id: string; first: number; last: number; foreground: number[] };
  event(seq: number): KubeEvent | undefined;
  state(): unknown;
}

declare global {
  interface Window {
    kubestage: Kubestage;
  }
}

export function openDoor(theatre: Theatre, doings: Doings): void {
  const { past, player } = theatre;
  const { log } = past;
  window.kubestage = {
    idle: () => theatre.idle,
    playhead: () => player.playhead.value,
    live: () => player.mode.value === "live",
    mode: () => player.mode.value,
    seek: (seq) => player.seek(seq),
    step: (by) => doings.step(by),
    play: () => player.play(),
    pause: () => player.pause(),
    catchUp: () => doings.catchUp(),
    speed: (s) => player.setSpeed(s),
    drawn: () => [...player.drawn],
    log: () => ({ id: log.id, first: log.first, last: log.last, foreground: [...player.timeline.foreground] }),
    event: (seq) => log.get(seq),
    state() {
      const s = past.history.at(player.playhead.value);
      return {
        seq: s.seq,
        revision: s.revision,
        pods: [...s.pods.values()],
        nodes: [...s.nodes.values()],
        components: [...s.components.values()],
        controllers: [...s.controllers.values()].map((c) => c.name),
        quiet: { ...s.quiet },
      };
    },
  };
}
