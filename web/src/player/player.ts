// The player is the only owner of time. It keeps one number, t, on the
// display clock, moves it while it plays, and tells those who draw that it
// moved. Everything that is seen follows from t and the log.
import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import { actorOf } from "../model/actor.ts";
import type { History } from "../model/history.ts";
import type { KubeEvent } from "../wire/event.ts";
import type { EventLog } from "../wire/log.ts";
import { lowerBound, normalSpeed, speeds, Timeline } from "./display.ts";

export type Mode = "live" | "playing" | "paused";

/** Where frames come from; a test gives its own. */
export interface Frames {
  now(): number;
  request(fn: (now: number) => void): number;
  cancel(id: number): void;
}

export interface Loop {
  from: number;
  to: number;
}

/** Up to this much waiting (display ms) the live view keeps its pace; beyond, it hurries in proportion. */
export const PATIENCE = 30_000;
/** A person's request is shown at once when more than this was still waiting before it. */
const INTERRUPT = 3_000;
const HISTORY = 50_000;

/** How fast the live view goes when so much of the log is waiting to be seen. */
export function hurry(backlog: number): number {
  return backlog <= PATIENCE ? 1 : backlog / PATIENCE;
}

export class Player {
  timeline: Timeline;
  readonly t: Signal<number> = signal(0);
  readonly mode: Signal<Mode> = signal<Mode>("live");
  readonly speed: Signal<number> = signal(normalSpeed);
  readonly playhead: Signal<number> = signal(0);
  /** The events between which playing goes round, if it does. */
  readonly loop: Signal<Loop | null> = signal<Loop | null>(null);
  /** Counts what changed that is not t: events came, the speed changed. */
  readonly changed: Signal<number> = signal(0);
  /** Foreground events in the order in which they were drawn arriving. */
  readonly drawn: number[] = [];

  /** Called before whatever a person, or whoever acts for one, does to it. */
  onact: (() => void) | null = null;

  private frame = 0;
  private last = 0;
  private joined = false;

  constructor(
    private readonly log: EventLog,
    private readonly history: History,
    private readonly frames: Frames,
  ) {
    this.timeline = new Timeline(this.speed.value, log.first);
    log.listen({
      append: (events) => this.append(events),
      reset: (first) => this.reset(first),
      dropping: (before) => {
        if (this.loop.value && this.loop.value.to < before) this.loop.value = null;
        this.layAgain(this.speed.value, before);
      },
    });
  }

  get position(): ReadonlySignal<number> {
    return this.t;
  }

  /** True when nothing moves and nothing waits to be moved. */
  get still(): boolean {
    if (this.mode.value === "paused") return true;
    return this.t.value >= this.timeline.rest && !this.loop.value;
  }

  /** The display time at which there is nothing more to see. */
  get rest(): number {
    return this.timeline.rest;
  }

  private reset(first: number): void {
    this.timeline = new Timeline(this.speed.value, first);
    this.joined = false;
    batch(() => {
      this.loop.value = null;
      this.t.value = 0;
      this.playhead.value = first - 1;
      this.changed.value++;
    });
  }

  private append(events: readonly KubeEvent[]): void {
    const live = this.mode.value === "live";
    let calls = 0;
    for (const e of events) {
      const lane = this.history.lane(e.seq)!;
      const waiting = this.timeline.rest - this.t.value;
      this.timeline.push(e, lane);
      if (lane === "foreground" && e.kind === "request" && waiting > INTERRUPT && calling(e)) calls ||= e.seq;
    }
    if (live && this.joined && calls) this.move(Math.max(this.t.value, this.timeline.startOf(calls)), false);
    this.changed.value++;
    this.see();
    this.wake();
  }

  /** What was there before we came is not played, only kept: the view begins at its end. */
  join(): void {
    if (this.joined) return;
    this.joined = true;
    if (this.mode.value === "live") this.move(this.timeline.rest, false);
  }

  play(): void {
    this.onact?.();
    if (this.mode.value !== "paused") return;
    this.mode.value = this.t.value >= this.timeline.rest && !this.loop.value ? "live" : "playing";
    this.wake();
  }

  pause(): void {
    this.onact?.();
    this.mode.value = "paused";
    this.sleep();
  }

  toggle(): void {
    if (this.mode.value === "paused") this.play();
    else this.pause();
  }

  catchUp(): void {
    this.onact?.();
    this.loop.value = null;
    this.mode.value = "live";
    this.move(this.timeline.rest, false);
    this.wake();
  }

  /** Puts t somewhere; playing goes on from there, a live view becomes a look at the past. */
  scrub(t: number): void {
    this.onact?.();
    if (this.mode.value === "live") this.mode.value = "playing";
    this.move(Math.min(Math.max(0, t), this.timeline.rest), false);
    this.wake();
  }

  /** Pauses at the moment an event has arrived. */
  seek(seq: number): void {
    this.pause();
    const l = this.timeline;
    this.move(l.atOf(Math.min(Math.max(seq, l.first), Math.max(l.first, l.last))), false);
  }

  /** Pauses one step further or back, of all steps or of some. Says whether there was one. */
  step(by: 1 | -1, steps: readonly number[] = this.timeline.steps): boolean {
    this.pause();
    const l = this.timeline;
    const at = lowerBound(steps, l.seqAt(this.t.value) + 1) - 1;
    // Back from between two steps is back to the one just taken.
    const between = at >= 0 && this.t.value > l.atOf(steps[at]!);
    const to = by > 0 ? at + 1 : between ? at : at - 1;
    const seq = steps[to];
    if (seq !== undefined) this.move(l.atOf(seq), by > 0);
    else if (to < 0 && steps === l.steps && steps.length > 0) this.move(0, false);
    return seq !== undefined;
  }

  /** Plays what lies between two events again and again; null plays on. */
  setLoop(loop: Loop | null): void {
    const ordered = loop && { from: Math.min(loop.from, loop.to), to: Math.max(loop.from, loop.to) };
    batch(() => {
      this.loop.value = ordered;
      if (!ordered) return;
      if (this.mode.value === "live") this.mode.value = "playing";
      const [from, to] = this.bounds(ordered);
      if (this.t.value < from || this.t.value > to) this.move(from, false);
    });
    this.wake();
  }

  /** Where on the display clock a loop begins, and ends: before anything after its last event arrives. */
  private bounds(loop: Loop): [number, number] {
    const l = this.timeline;
    const to = Math.min(l.last, loop.to);
    const next = l.steps[lowerBound(l.steps, to + 1)];
    const until = next === undefined ? l.endOf(to) : Math.min(l.endOf(to), l.atOf(next) - 1);
    return [l.startOf(Math.max(l.first, loop.from)), Math.max(l.atOf(to), until)];
  }

  setSpeed(speed: number): void {
    if (speed === this.speed.value) return;
    this.layAgain(speed, this.timeline.first);
    this.wake();
  }

  /** Places the log anew, from an event on, and keeps t at the same place between the same two arrivals. */
  private layAgain(speed: number, first: number): void {
    const old = this.timeline;
    const next = new Timeline(speed, first);
    for (let s = first; s <= old.last; s++) {
      const e = this.log.get(s);
      if (e) next.push(e, this.history.lane(s)!);
    }
    const atRest = this.t.value >= old.rest;
    const seq = old.seqAt(this.t.value);
    const between = (l: Timeline): [number, number] => [
      seq >= l.first ? l.atOf(seq) : 0,
      seq < l.last ? l.atOf(Math.max(l.first, seq + 1)) : l.rest,
    ];
    const [a, b] = between(old);
    const [c, d] = between(next);
    const u = b > a ? Math.min(1, (this.t.value - a) / (b - a)) : 0;
    this.timeline = next;
    batch(() => {
      this.speed.value = speed;
      this.t.value = seq < first ? 0 : atRest ? next.rest : c + (d - c) * u;
      this.changed.value++;
      this.see();
    });
  }

  faster(by: 1 | -1): void {
    const i = speeds.findIndex((s) => s <= this.speed.value + 1e-9);
    const to = speeds[Math.min(speeds.length - 1, Math.max(0, i - by))];
    if (to) this.setSpeed(to);
  }

  /** Moves t; what is passed on the way counts as drawn. */
  private move(t: number, seen: boolean): void {
    if (seen && t > this.t.value) {
      for (const seq of this.timeline.arrivals(this.t.value, t)) this.drawn.push(seq);
      if (this.drawn.length > HISTORY) this.drawn.splice(0, this.drawn.length - HISTORY);
    }
    this.t.value = t;
    this.see();
  }

  private see(): void {
    this.playhead.value = this.timeline.seqAt(this.t.value);
  }

  private wake(): void {
    if (this.frame || this.still || !this.joined) return;
    this.last = this.frames.now();
    this.frame = this.frames.request((now) => this.tick(now));
  }

  private sleep(): void {
    if (this.frame) this.frames.cancel(this.frame);
    this.frame = 0;
  }

  private tick(now: number): void {
    this.frame = 0;
    if (this.mode.value === "paused") return;
    // A tab that was hidden gets one long frame; it must not leap.
    const passed = Math.min(250, Math.max(0, now - this.last));
    this.last = now;
    const backlog = this.timeline.rest - this.t.value;
    const rate = this.mode.value === "live" ? hurry(backlog) : 1;
    const loop = this.loop.value && this.bounds(this.loop.value);
    batch(() => {
      if (loop && this.t.value >= loop[1]) {
        this.move(loop[0], false);
        return;
      }
      this.move(Math.min(loop ? loop[1] : this.timeline.rest, this.t.value + passed * rate), true);
      if (loop) return;
      if (this.mode.value === "playing" && this.t.value >= this.timeline.rest) this.mode.value = "live";
    });
    if (!this.still) this.frame = this.frames.request((n) => this.tick(n));
  }
}

/** Whether a request is a person's doing that the live view should turn to. */
function calling(e: KubeEvent): boolean {
  return actorOf(e.from).role === "person";
}
