// Pods: one by one, as a tile with a mark, or counted by what they are.
import { word } from "../i18n/ui.ts";
import type { PodPhase } from "../model/pod.ts";
import type { PlacedPod } from "../model/state.ts";
import { cut, widthOf } from "./measure.ts";
import { type Child, h, type VNode } from "./node.ts";
import { rect, small, text, thousands, type View } from "./part.ts";
import { sameAsBefore } from "./same.ts";
import { finest, type TileGrid, type TileSize, tileAt, tileGrid } from "./tiles.ts";
import { type Box, box } from "./way.ts";

const phaseWords: Record<PodPhase, string> = {
  pending: "Pending",
  creating: "Creating",
  running: "Running",
  ready: "Ready",
  crashloop: "CrashLoop",
  image: "ImagePull",
  terminating: "Terminating",
  succeeded: "Succeeded",
  failed: "Failed",
};

export function phaseWord(p: Pick<PlacedPod, "phase" | "says">): string {
  return p.phase === "crashloop" && p.says !== "CrashLoopBackOff" ? p.says : phaseWords[p.phase];
}

/** A pod's state as a shape, so that colour never speaks alone. */
export function podMark(phase: PodPhase, x: number, y: number, r: number): VNode {
  const cls = `pod-mark mark-${phase}`;
  switch (phase) {
    case "pending":
      return h("path", {
        class: cls,
        d: `M${x - r * 0.5} ${y - r * 0.4}a${r * 0.5} ${r * 0.5} 0 1 1 ${r * 0.8} ${r * 0.4}q${-r * 0.3} ${r * 0.2} ${-r * 0.3} ${r * 0.5}M${x} ${y + r * 0.9}v0.1`,
      });
    case "creating":
      return h("path", { class: cls, d: `M${x} ${y - r}a${r} ${r} 0 1 1 ${-r} ${r}` });
    case "running":
      return h("circle", { class: cls, cx: x, cy: y, r: r - 1 });
    case "ready":
      return h("circle", { class: cls, cx: x, cy: y, r });
    case "crashloop":
    case "image":
      return h(
        "g",
        { class: cls },
        h("path", { d: `M${x} ${y - r}l${r * 1.1} ${r * 1.9}h${-r * 2.2}z` }),
        h("path", { class: "mark-inner", d: `M${x} ${y - r * 0.25}v${r * 0.5}M${x} ${y + r * 0.52}v0.1` }),
      );
    case "terminating":
      return h("path", { class: cls, d: `M${x - r} ${y - r}h${r * 2}v${r * 2}h${-r * 2}z` });
    case "succeeded":
      return h("path", { class: cls, d: `M${x - r} ${y}l${r * 0.7} ${r * 0.7}l${r * 1.2} ${-r * 1.4}` });
    case "failed":
      return h("path", {
        class: cls,
        d: `M${x - r * 0.8} ${y - r * 0.8}l${r * 1.6} ${r * 1.6}m0 ${-r * 1.6}l${-r * 1.6} ${r * 1.6}`,
      });
  }
}

/** The order in which counts are told: what is well first, what needs a look last. */
const order: readonly PodPhase[] = [
  "ready",
  "running",
  "creating",
  "pending",
  "succeeded",
  "terminating",
  "image",
  "crashloop",
  "failed",
];

type Counts = ReadonlyMap<PodPhase, number>;
const counted = new WeakMap<readonly PlacedPod[], Counts>();
/** A node's list of pods is counted once: it is replaced when one of them changes. */
function countsOf(pods: readonly PlacedPod[]): Counts {
  let known = counted.get(pods);
  if (!known) {
    const counts = new Map<PodPhase, number>();
    for (const p of pods) counts.set(p.phase, (counts.get(p.phase) ?? 0) + 1);
    counted.set(pods, counts);
    known = counts;
  }
  return known;
}

/** The pods of some nodes by what they are. */
export function countPhases(...lists: readonly (readonly PlacedPod[])[]): [PodPhase, number][] {
  const counts = new Map<PodPhase, number>();
  for (const list of lists) for (const [phase, n] of countsOf(list)) counts.set(phase, (counts.get(phase) ?? 0) + n);
  return order.filter((p) => counts.has(p)).map((p) => [p, counts.get(p)!]);
}

export function countWord(phase: PodPhase): string {
  return phaseWord({ phase, says: "CrashLoopBackOff" });
}

/** Marks and numbers in a line, as many as fit; the rest is told as one number. */
export function countLine(counts: [PodPhase, number][], x: number, y: number, width: number, v: View): VNode[] {
  const out: VNode[] = [];
  let left = x;
  counts.forEach(([phase, n], i) => {
    const says = thousands(n);
    const w = 14 + widthOf(says, v.size.small) + 8;
    const last = i === counts.length - 1;
    if (left + w > x + width + (last ? 8 : -20)) return;
    out.push(
      h(
        "g",
        { key: `count ${phase}` },
        podMark(phase, left + 5, y - 5, 4.5),
        text(left + 14, y, "t-small t-ink", says),
      ),
    );
    left += w;
  });
  if (out.length < counts.length) {
    const rest = counts.slice(out.length).reduce((n, [, c]) => n + c, 0);
    out.push(small(v, left, y, "", `+${thousands(rest)}`, 60));
  }
  return out;
}

/** A node that is open, and the state whose pods are shown one by one when there are too many. */
export interface Opened {
  phase?: PodPhase;
}

/** The pods of a node, in the order of their places, in its area. */
export function podArea(v: View, node: string, pods: readonly PlacedPod[], area: Box, open: Opened | null): VNode[] {
  const now = nowPod(v);
  const one = (p: PlacedPod, grid: TileGrid, slot: number): VNode[] => {
    const at = tileAt(area, grid, slot);
    return at ? [podTile(v, p, at, grid.size, now)] : [];
  };
  if (open?.phase) {
    const all = pods.filter((p) => p.phase === open.phase);
    const grid = tileGrid(area, all.length) ?? finest(area);
    const room = grid.columns * grid.rows;
    const shown = all.length > room ? room - 3 : all.length;
    const out = all.slice(0, shown).flatMap((p, i) => one(p, grid, i));
    const rest = all.length - shown;
    if (rest) out.push(small(v, area.x + area.w, area.y + area.h - 4, "", `+${thousands(rest)}`, 60, "end"));
    return out;
  }
  const crowd = open ? (pods[pods.length - 1]?.slot ?? 0) + 1 : v.state.crowd;
  const grid = tileGrid(area, crowd);
  if (grid) {
    const chosen = v.selection?.type === "object" ? v.selection.uid : "";
    const marked = pods.some((p) => p.uid === chosen || now(p)) ? v.focus : 0;
    const of = [pods, marked, area.x, area.y, grid.w];
    const draw = () =>
      h(
        "g",
        { key: "pods" },
        pods.flatMap((p) => one(p, grid, p.slot)),
      );
    return [sameAsBefore(v, `pods ${node}`, of, draw)];
  }
  if (area.h > 60) return groups(v, node, pods, area);
  const label = `${node}: ${countPhases(pods)
    .map(([p, n]) => `${n} ${countWord(p)}`)
    .join(", ")}`;
  return [
    h(
      "g",
      { key: "counts", class: "unit", "data-zoom": `node:${node}`, role: "button", tabindex: 0, "aria-label": label },
      rect(area, "unit-box", 8),
      countLine(countPhases(pods), area.x + 10, area.y + area.h / 2 + v.size.small * 0.36, area.w - 20, v),
    ),
  ];
}

/** Whether what happens now is about a pod. */
function nowPod(v: View): (p: PlacedPod) => boolean {
  const o = v.event(v.focus)?.object;
  if (!o) return () => false;
  const byName = o.resource === "pods" && o.name !== undefined;
  return (p) => o.uid === p.uid || (byName && o.name === p.name && o.namespace === p.namespace);
}

/** Too many to draw: each state with its number, to be opened. */
function groups(v: View, node: string, pods: readonly PlacedPod[], area: Box): VNode[] {
  const counts = countPhases(pods);
  const columns = Math.max(1, Math.floor((area.w + 8) / (v.size.small * 9.9)));
  const rows = Math.max(1, Math.floor((area.h + 6) / 34));
  const w = (area.w + 8) / columns - 8;
  const room = columns * rows;
  const shown = counts.length > room ? room - 1 : counts.length;
  const out = counts.slice(0, shown).map(([phase, n], i) => {
    const b = box(area.x + (i % columns) * (w + 8), area.y + Math.floor(i / columns) * 34, w, 28);
    return h(
      "g",
      {
        key: `group ${phase}`,
        class: `pod pod-${phase} group`,
        "data-zoom": `node:${node}/${phase}`,
        role: "button",
        tabindex: 0,
        "aria-label": `${node}: ${n} ${countWord(phase)}`,
      },
      rect(b, "pod-box", 8),
      podMark(phase, b.x + 15, b.y + 14, 6),
      text(b.x + 28, b.y + 19, "t-small t-ink", cut(`${thousands(n)} ${countWord(phase)}`, w - 34, v.size.small)),
    );
  });
  if (shown < counts.length) {
    const rest = counts.slice(shown).reduce((n, [, c]) => n + c, 0);
    const i = shown;
    out.push(
      small(
        v,
        area.x + (i % columns) * (w + 8) + 8,
        area.y + Math.floor(i / columns) * 34 + 19,
        "",
        word(v.lang, "moreOf", thousands(rest)),
        w,
      ),
    );
  }
  return out;
}

interface Tile {
  b: Box;
  is: string;
  node: VNode;
}
/** A tile that looks as it did is the very same value, so that drawing thousands costs what changed. */
const tiles = new WeakMap<PlacedPod, Tile>();

export function podTile(v: View, p: PlacedPod, b: Box, size: TileSize, isNow = nowPod(v)): VNode {
  const now = isNow(p);
  const chosen = v.selection?.type === "object" && v.selection.uid === p.uid;
  const lit = v.lit === "pods" || v.lit === "pod" || v.lit === `pod:${p.namespace}/${p.name}`;
  const is = `${size} ${now} ${chosen} ${lit} ${v.size.small}`;
  const known = tiles.get(p);
  if (known?.is === is && known.b.x === b.x && known.b.y === b.y && known.b.w === b.w) return known.node;
  const cls = ["pod", `pod-${p.phase}`, size === "small" && "tiny", now && "now", chosen && "chosen", lit && "lit"]
    .filter(Boolean)
    .join(" ");
  const node = h(
    "g",
    {
      key: `pod ${p.uid}`,
      class: cls,
      "data-object": p.key,
      "data-uid": p.uid,
      role: "button",
      tabindex: 0,
      "aria-label": `Pod ${p.namespace}/${p.name}, ${p.says}`,
    },
    rect(b, "pod-box", size === "small" ? 4 : 8),
    h("title", null, `${p.namespace}/${p.name}: ${p.says}`),
    tileContent(v, p, b, size),
  );
  tiles.set(p, { b, is, node });
  return node;
}

function tileContent(v: View, p: PlacedPod, b: Box, size: TileSize): Child[] {
  const cx = b.x + b.w / 2;
  if (size === "small") return [podMark(p.phase, cx, b.y + b.h / 2, 4.5)];
  if (size === "medium") return [podMark(p.phase, cx, b.y + b.h / 2, b.h * 0.28)];
  const shown = p.containers.slice(0, 3);
  const x = b.x + 16;
  return [
    podMark(p.phase, x, b.y + 17, 8),
    ...shown.map((c, i) =>
      h("rect", {
        key: `c${i}`,
        class: `container c-${c.look}`,
        x: x - (shown.length * 8 - 2) / 2 + i * 8,
        y: b.y + 32,
        width: 6,
        height: 6,
        rx: 1.5,
      }),
    ),
    text(b.x + 30, b.y + 19, "t-pod", cut(p.name, b.w - 34, v.size.small)),
    small(v, b.x + 30, b.y + 38, "", phaseWord(p), b.w - 34),
  ];
}
