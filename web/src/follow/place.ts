// Where a page is, so that another one can be at the same place: between which
// two events its playhead stands, and how it moves.
import type { Player } from "../player/player.ts";
import type { ViewName } from "../view/view.ts";

export interface Place {
  type: "place";
  /** The log it is a place in. */
  log: string;
  /** The last event that has arrived, and how much of the way to the next has passed, from 0 to 1. */
  seq: number;
  part: number;
  moving: boolean;
  speed: number;
  /** The page's path without its language, and its view. */
  path: string;
  view: ViewName;
}

export function placeOf(player: Player, log: string, path: string, view: ViewName): Place {
  const { timeline: l, t, mode, speed } = player;
  const seq = l.seqAt(t.value);
  const [from, to] = between(player, seq);
  const part = to > from ? Math.min(1, Math.max(0, (t.value - from) / (to - from))) : 0;
  return { type: "place", log, seq, part, moving: mode.value !== "paused", speed: speed.value, path, view };
}

/** A follower that is this near (display ms) goes on by itself: it moves at the same speed. */
const NEAR = 400;

/** Brings a player to a place; false when its log does not reach there yet. */
export function goTo(player: Player, p: Place): boolean {
  player.setSpeed(p.speed);
  const l = player.timeline;
  if (p.seq > l.last) {
    if (player.mode.value === "paused") player.play();
    return false;
  }
  const [from, to] = between(player, p.seq);
  const t = from + (to - from) * p.part;
  if (!p.moving) {
    player.pause();
    player.scrub(t);
    return true;
  }
  if (Math.abs(player.t.value - t) > NEAR) player.scrub(t);
  player.play();
  return true;
}

function between(player: Player, seq: number): [number, number] {
  const l = player.timeline;
  return [seq >= l.first ? l.atOf(seq) : 0, seq < l.last ? l.atOf(Math.max(l.first, seq + 1)) : l.rest];
}
