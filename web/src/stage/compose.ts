// Puts the picture of one moment together: looks up the state at the
// playhead, what is in the hall and in the scheduler, and the tokens. A pure
// function of the log, t, and what the viewer looks at.
import type { Lang, Selection } from "../app.ts";
import { passageOf } from "../model/gates.ts";
import type { History } from "../model/history.ts";
import type { Stories } from "../model/story.ts";
import { GATES, type Timeline } from "../player/display.ts";
import type { EventLog } from "../wire/log.ts";
import { type Geometry, geometry, type Shape } from "./geometry.ts";
import { h, type VNode } from "./node.ts";
import { picture, type View } from "./picture.ts";
import { tokenLayer } from "./tokenmarks.ts";
import { railPoint, tokensAt } from "./tokens.ts";

export interface Looking {
  lang: Lang;
  shape: Shape;
  selection: Selection | null;
  lit: string | null;
  /** Reduced motion. */
  still: boolean;
}

export interface Material {
  log: EventLog;
  history: History;
  stories: Stories;
  timeline: Timeline;
}

export interface Composed {
  geometry: Geometry;
  /** Two moments with the same key have the same picture behind their tokens. */
  key: string;
  focus: number;
  picture(): VNode[];
  tokens(): VNode[];
}

const geometries = new Map<string, Geometry>();
function geometryFor(shape: Shape, nodes: number): Geometry {
  const key = `${shape} ${Math.min(nodes, 9)}`;
  let g = geometries.get(key);
  if (!g) {
    g = geometry(shape, nodes);
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
  const g = geometryFor(l.shape, state.nodes.size);
  const focus = focusAt(m.timeline, t);
  const event = (s: number) => m.log.get(s);
  const inHall = hallAt(m, g, t, focus, state.request);
  const cycle = cycleAt(m, t, focus, state.decision);
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
    JSON.stringify(l.selection),
  ].join(" ");
  const view: View = {
    lang: l.lang,
    geometry: g,
    state,
    event,
    span: (s) => m.history.span(s),
    focus,
    storyRoot,
    inHall,
    cycle,
    selection: l.selection,
    lit: l.lit,
  };
  return {
    geometry: g,
    key,
    focus,
    picture: () => picture(view),
    tokens: () =>
      tokenLayer(
        g,
        tokensAt(
          { geometry: g, state, timeline: m.timeline, still: l.still, event, span: (s) => m.history.span(s) },
          t,
        ),
        focus,
        l.selection?.type === "event" ? l.selection.seq : null,
      ),
  };
}

/** The request at the playhead, or else the one that went through the door last; and how many gates it has behind it. */
function hallAt(m: Material, g: Geometry, t: number, focus: number, last: number): View["inHall"] {
  const l = m.timeline;
  for (const seq of newestFirst(l, t, focus)) {
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

/** What is on stage, the event at the playhead before all, then the newest first. */
function newestFirst(l: Timeline, t: number, focus: number): number[] {
  const all = l.onStage(t).reverse();
  return all.includes(focus) ? [focus, ...all] : all;
}

const chapters = [0, 0.2, 0.45, 0.6, 1];

function cycleAt(m: Material, t: number, focus: number, last: number): View["cycle"] {
  const l = m.timeline;
  for (const seq of newestFirst(l, t, focus)) {
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
    { viewBox: `0 0 ${c.geometry.width} ${c.geometry.height}` },
    h("g", { class: "picture-layer" }, c.picture()),
    h("g", { class: "token-layer", "aria-hidden": "true" }, c.tokens()),
  );
}
