// Puts the picture of one moment together: looks up the state at the
// playhead, what is in the hall and in the scheduler, and the tokens. A pure
// function of the log, t, and what the viewer looks at.
import type { Lang, Selection } from "../app.ts";
import { passageOf } from "../model/gates.ts";
import type { History } from "../model/history.ts";
import type { Stories } from "../model/story.ts";
import { GATES, type Timeline } from "../player/display.ts";
import type { KubeEvent } from "../wire/event.ts";
import type { EventLog } from "../wire/log.ts";
import { type Geometry, geometry, type Shape } from "./geometry.ts";
import { inside } from "./inside/inside.ts";
import { scales } from "./measure.ts";
import { h, type VNode } from "./node.ts";
import type { View } from "./part.ts";
import { picture } from "./picture.ts";
import { tokenLayer } from "./tokenmarks.ts";
import { railPoint, tokensAt } from "./tokens.ts";
import { readZoom } from "./zoom.ts";

export interface Looking {
  lang: Lang;
  shape: Shape;
  selection: Selection | null;
  lit: string | null;
  /** What is open; see zoom.ts. */
  zoom: string | null;
  /** Large texts, for a projector. */
  far: boolean;
  /** Reduced motion. */
  still: boolean;
  /** Nothing plays: tokens can be walked to with the keyboard. */
  paused: boolean;
}

export interface Material {
  log: EventLog;
  history: History;
  stories: Stories;
  timeline: Timeline;
}

export interface Composed {
  geometry: Geometry;
  height: number;
  /** Two moments with the same key have the same picture behind their tokens. */
  key: string;
  focus: number;
  picture(): VNode[];
  tokens(): VNode[];
}

const geometries = new Map<string, Geometry>();
function geometryFor(shape: Shape, rooms: number, open: number | null): Geometry {
  const key = `${shape} ${rooms} ${open}`;
  let g = geometries.get(key);
  if (!g) {
    g = geometry(shape, rooms, open);
    geometries.set(key, g);
  }
  return g;
}

/** The last event of the step that was taken last at t; 0 before the first. */
export function focusAt(timeline: Timeline, t: number): number {
  return timeline.steps[timeline.stepAt(t)] ?? 0;
}

export function compose(m: Material, t: number, l: Looking): Composed {
  const seq = m.timeline.seqAt(t);
  const state = m.history.at(seq);
  const zoom = readZoom(l.zoom);
  const open = zoom?.what === "node" ? (state.nodes.get(zoom.node)?.slot ?? null) : null;
  const g = geometryFor(l.shape, state.rooms, open);
  const size = scales[l.far ? "far" : "near"];
  const focus = focusAt(m.timeline, t);
  const event = (s: number) => m.log.get(s);
  const onStage = m.timeline.onStage(t);
  const inHall = hallAt(m, g, t, newestFirst(onStage, focus), state.request);
  const cycle = cycleAt(m, t, newestFirst(onStage, focus), state.decision);
  const storyRoot = m.stories.of(focus)?.root ?? Number.POSITIVE_INFINITY;
  const key = [
    seq,
    focus,
    inHall?.seq,
    inHall?.passed,
    inHall && m.history.span(inHall.seq)?.seq,
    cycle?.seq,
    cycle?.told,
    l.lang,
    l.shape,
    l.lit,
    l.zoom,
    l.far,
    JSON.stringify(l.selection),
  ].join(" ");
  const view: View = {
    lang: l.lang,
    geometry: g,
    size,
    state,
    event,
    recent: (test, most) => recent(m, seq, test, most),
    span: (s) => m.history.span(s),
    focus,
    storyRoot,
    inHall,
    cycle,
    selection: l.selection,
    lit: l.lit,
    zoom: l.zoom,
  };
  const looksInto = zoom?.what === "inside" ? zoom : null;
  return {
    geometry: g,
    key,
    focus,
    height: looksInto ? g.inside.y + g.inside.h : g.height,
    picture: () => (looksInto ? inside(view, looksInto) : picture(view)),
    tokens: () =>
      looksInto
        ? []
        : tokenLayer(
            g,
            size,
            tokensAt(
              { geometry: g, state, timeline: m.timeline, still: l.still, event, span: (s) => m.history.span(s) },
              t,
              onStage,
            ),
            focus,
            l.selection?.type === "event" ? l.selection.seq : null,
            l.paused,
          ),
  };
}

/** How far back an inside looks. */
const BACK = 20_000;

function recent(m: Material, from: number, test: (e: KubeEvent) => boolean, most: number): KubeEvent[] {
  const out: KubeEvent[] = [];
  for (let seq = from; seq >= m.log.first && seq > from - BACK && out.length < most; seq--) {
    const e = m.log.get(seq);
    if (e && test(e)) out.push(e);
  }
  return out;
}

/** The request at the playhead, or else the one that went through the door last; and how many gates it has behind it. */
function hallAt(m: Material, g: Geometry, t: number, newest: Iterable<number>, last: number): View["inHall"] {
  const l = m.timeline;
  for (const seq of newest) {
    const e = m.log.get(seq);
    if (e?.kind !== "request") continue;
    const u = (t - l.startOf(seq)) / Math.max(1, l.atOf(seq) - l.startOf(seq));
    const inside = (u - 1 / (1 + GATES)) / (1 - 1 / (1 + GATES));
    if (inside < 0) continue;
    const reach = passageOf(e, m.history.span(seq)).reach;
    if (u >= 1) return { seq, passed: reach >= 4 ? 5 : Math.max(0, reach) };
    const x = g.door.x + (railPoint(g, reach).x - g.door.x) * inside;
    return { seq, passed: g.gates.filter((b) => b.x + b.w / 2 <= x).length };
  }
  if (!last) return null;
  const e = m.log.get(last);
  if (!e) return null;
  const reach = passageOf(e, m.history.span(last)).reach;
  return { seq: last, passed: reach >= 4 ? 5 : Math.max(0, reach) };
}

/** What is on stage, the event at the playhead before all, then the newest. */
function* newestFirst(onStage: readonly number[], focus: number): Generator<number> {
  if (onStage.includes(focus)) yield focus;
  for (let i = onStage.length - 1; i >= 0; i--) yield onStage[i]!;
}

const chapters = [0, 0.2, 0.45, 0.6, 1];

function cycleAt(m: Material, t: number, newest: Iterable<number>, last: number): View["cycle"] {
  const l = m.timeline;
  for (const seq of newest) {
    if (m.log.get(seq)?.kind !== "schedule") continue;
    const u = Math.min(1, (t - l.startOf(seq)) / Math.max(1, l.atOf(seq) - l.startOf(seq)));
    return { seq, told: chapters.filter((c) => c <= u).pop() ?? 0 };
  }
  return last ? { seq: last, told: 1 } : null;
}

/** The whole picture as one element; what tests compare. */
export function whole(c: Composed): VNode {
  return h(
    "svg",
    { viewBox: `0 0 ${c.geometry.width} ${c.height}` },
    h("g", { class: "picture-layer" }, c.picture()),
    h("g", { class: "token-layer" }, c.tokens()),
  );
}
