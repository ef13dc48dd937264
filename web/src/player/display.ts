// Display time. What components say to each other takes micro- or
// milliseconds; a person needs hundreds. So every event gets a place on a
// second clock, in milliseconds of viewing:
//
//	start   its token sets out
//	at      its token arrives, and what it changed is seen (the playhead has passed it)
//	end     the last of it (a response, the word beside the token) is gone
//
// Rules, which the tests hold it to: `at` never goes down along the log, so
// what is seen is always the log up to some event; nothing sets out before
// what caused it has arrived, nor before what its component was last told has
// arrived; what lies between two events is their real distance divided by the
// speed, but never shorter than the eye needs nor longer than patience; the
// quiet lane takes no time at all. A place depends only on earlier events and
// the speed, so a growing log never moves what was already placed.
import { actorOf, placeOf } from "../model/actor.ts";
import type { Lane } from "../model/lane.ts";
import { isRead } from "../model/lane.ts";
import type { KubeEvent } from "../wire/event.ts";
import { instant } from "../wire/instant.ts";

/** Speeds of the view against the cluster's time, from real to a thousandth. */
export const speeds = [1, 1 / 2, 1 / 5, 1 / 10, 1 / 20, 1 / 50, 1 / 100, 1 / 200, 1 / 500, 1 / 1000] as const;
export const normalSpeed = 1 / 20;

export interface Pace {
  /** How long a token travels one way. */
  hop: number;
  /** The least and the most between two events that have nothing to do with each other. */
  least: number;
  most: number;
}

/** The pace of a speed; between the corner points it follows the logarithm. */
export function paceOf(speed: number): Pace {
  const k = Math.min(3, Math.max(0, -Math.log10(speed)));
  const mix = (points: readonly [number, number, number, number]) => {
    const i = Math.min(2, Math.floor(k));
    return points[i]! + (points[i + 1]! - points[i]!) * (k - i);
  };
  return { hop: mix([140, 420, 800, 1500]), least: mix([1, 40, 180, 700]), most: mix([2000, 1200, 1200, 2400]) };
}

/** Lengths of an event's parts, in hops. */
export const GATES = 0.55; // through the hall, after the way to the door
export const PUT = 0.6;
const lengths: Record<string, number> = {
  request: 1 + GATES,
  etcd: PUT,
  watch: 0.9,
  schedule: 1.5,
  cri: 0.7,
  component: 0.3,
  source: 0.3,
};
const LINGER = 0.5; // the word stays a moment where the token arrived
const FAN = 0.06; // between the notifications of one revision
const IDLE = 400; // real milliseconds of silence after which nothing overlaps
export const GAP = 2000; // real milliseconds of silence that are marked as compressed

export function lengthOf(e: KubeEvent): number {
  return lengths[e.kind] ?? 0.6;
}

/** How long after its arrival the last of an event is gone, in hops. */
export function afterOf(e: KubeEvent): number {
  if (e.kind !== "request") return LINGER;
  if ((e.code ?? 0) >= 400) return 1 + LINGER;
  return (isRead(e) ? 0.1 : PUT + 0.1) + 0.8;
}

export interface Gap {
  /** Display time. */
  at: number;
  /** Real milliseconds that were left out. */
  real: number;
}

/** The display times of a log at one speed. Indices are seq - first. */
export class Timeline {
  readonly pace: Pace;
  first: number;
  readonly start: number[] = [];
  readonly at: number[] = [];
  readonly end: number[] = [];
  readonly real: number[] = [];
  /** Sequence numbers of the foreground, in order. */
  readonly foreground: number[] = [];
  /** The last event of each step: a step is one event of the foreground, or all notifications of one revision. */
  readonly steps: number[] = [];
  readonly gaps: Gap[] = [];
  /** When the last token is gone. */
  rest = 0;
  /** The longest time before and after an arrival that a token may be on its way. */
  readonly reach: number;

  private told = new Map<string, number>();
  private lastReal = Number.NaN;
  private lastFan = 0;

  constructor(
    readonly speed: number,
    first = 1,
  ) {
    this.pace = paceOf(speed);
    this.first = first;
    this.reach = this.pace.hop * (Math.max(...Object.values(lengths)) + 2.2);
  }

  get last(): number {
    return this.first + this.at.length - 1;
  }

  push(e: KubeEvent, lane: Lane): void {
    const before = this.at[this.at.length - 1] ?? 0;
    const real = instant(e.end);
    if (lane !== "foreground") {
      this.add(before, before, before, real);
      return;
    }
    const { hop, least, most } = this.pace;
    const length = lengthOf(e) * hop;
    const fan = e.kind === "watch" ? (e.causes?.[0]?.seq ?? 0) : 0;
    const together = fan !== 0 && fan === this.lastFan;

    const passed = Number.isNaN(this.lastReal) ? Number.POSITIVE_INFINITY : Math.max(0, real - this.lastReal);
    let at = before + (together ? FAN * hop : Math.min(most, Math.max(least, passed / this.speed)));
    if (this.foreground.length === 0) at = length;
    else if (passed > IDLE) {
      at = Math.max(at, this.rest + length);
      if (passed > GAP) this.gaps.push({ at: (this.rest + at - length) / 2, real: passed });
    }
    let earliest = 0;
    for (const c of e.causes ?? []) {
      const i = c.seq - this.first;
      if (i >= 0 && i < this.at.length) earliest = Math.max(earliest, this.at[i]!);
    }
    const actor = actorOf(e.from);
    if (e.kind !== "watch" && e.kind !== "etcd") earliest = Math.max(earliest, this.told.get(placeOf(actor)) ?? 0);
    at = Math.max(at, earliest + length);

    const end = at + afterOf(e) * hop;
    this.add(at - length, at, end, real);
    this.rest = Math.max(this.rest, end);
    if (!Number.isNaN(real)) this.lastReal = Number.isNaN(this.lastReal) ? real : Math.max(this.lastReal, real);
    this.lastFan = fan;
    this.foreground.push(e.seq);
    if (together) this.steps[this.steps.length - 1] = e.seq;
    else this.steps.push(e.seq);
    if (e.kind === "watch" && e.to) this.told.set(placeOf(actorOf(e.to)), at);
  }

  private add(start: number, at: number, end: number, real: number): void {
    this.start.push(start);
    this.at.push(at);
    this.end.push(end);
    this.real.push(real);
  }

  /** The last event that has arrived at a display time; first - 1 when none has. */
  seqAt(t: number): number {
    let lo = 0;
    let hi = this.at.length;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (this.at[mid]! <= t) lo = mid + 1;
      else hi = mid;
    }
    return this.first + lo - 1;
  }

  startOf(seq: number): number {
    return this.start[seq - this.first] ?? 0;
  }
  atOf(seq: number): number {
    return this.at[seq - this.first] ?? 0;
  }
  endOf(seq: number): number {
    return this.end[seq - this.first] ?? 0;
  }

  /** The foreground events whose tokens are on the stage at a display time, in log order. */
  onStage(t: number): number[] {
    const found: number[] = [];
    for (let i = lowerBound(this.foreground, this.seqAt(t - this.reach)); i < this.foreground.length; i++) {
      const seq = this.foreground[i]!;
      if (this.atOf(seq) > t + this.reach) break;
      // What has not left yet lies under what it waits for, and is not drawn.
      if (this.startOf(seq) < t && t < this.endOf(seq)) found.push(seq);
    }
    return found;
  }

  /** The index in steps of the last step that has been taken at a display time; -1 before the first. */
  stepAt(t: number): number {
    return lowerBound(this.steps, this.seqAt(t) + 1) - 1;
  }

  /** Foreground events that arrive after t0 and not after t1. */
  arrivals(t0: number, t1: number): number[] {
    const a = lowerBound(this.foreground, this.seqAt(t0) + 1);
    const b = lowerBound(this.foreground, this.seqAt(t1) + 1);
    return this.foreground.slice(a, b);
  }
}

/** The first index whose value is not below x. */
export function lowerBound(sorted: readonly number[], x: number): number {
  let lo = 0;
  let hi = sorted.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (sorted[mid]! < x) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}
