// How tokens look: their shapes, and where the words beside them find room.
import type { Geometry } from "./geometry.ts";
import { type Scale, widthOf } from "./measure.ts";
import { h, round, type VNode } from "./node.ts";
import type { Deed, Token, TokenShape, Tokens } from "./tokens.ts";

/** Words drawn at once, and how many tokens are asked whether theirs finds room. */
const WORDS = 5;
const ASKED = 30;

export function tokenShape(shape: TokenShape, deed: Deed, inferred: boolean, refused: boolean): VNode {
  const cls = `mark mark-${shape} deed-${refused ? "delete" : deed}${inferred ? " inferred" : ""}`;
  switch (shape) {
    case "request":
      return h("circle", { r: 9, class: cls });
    case "response":
      return refused
        ? h("g", { class: cls }, h("circle", { r: 9 }), h("path", { d: "M-4 -4l8 8m0 -8l-8 8" }))
        : h("circle", { r: 6, class: cls });
    case "watch":
      return h("path", { d: "M0 -11l11 11l-11 11l-11 -11z", class: cls });
    case "write":
      return h("rect", { x: -9, y: -9, width: 18, height: 18, rx: 3, class: cls });
    case "cri":
      return h("path", { d: "M-5 -9h10l5 9l-5 9h-10l-5 -9z", class: cls });
    case "decision":
      return h("path", { d: "M0 -11l3 8l8 3l-8 3l-3 8l-3 -8l-8 -3l8 -3z", class: cls });
    case "component":
      return h("circle", { r: 11, class: cls });
  }
}

interface Area {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

const overlap = (a: Area, b: Area) => a.x1 < b.x2 && b.x1 < a.x2 && a.y1 < b.y2 && b.y1 < a.y2;

const boxes = new WeakMap<Geometry, Area[]>();
function boxesOf(g: Geometry): Area[] {
  let all = boxes.get(g);
  if (!all) {
    all = [g.person, g.hall, g.etcd, g.controllers, g.scheduler, g.quiet, ...g.rooms.nodes, g.rooms.rest]
      .filter((b) => b !== null)
      .map((b) => ({ x1: b.x, y1: b.y, x2: b.x + b.w, y2: b.y + b.h }));
    boxes.set(g, all);
  }
  return all;
}

/** Where a word may be, the best place first. */
function spotsFor(g: Geometry, k: Token, w: number, height: number): [number, number][] {
  if (k.word) return [[k.word.x - w, k.word.y]];
  const within = (x: number) => Math.min(Math.max(2, x), g.width - w - 2);
  const above: [number, number] = [within(k.x - w / 2), k.y - 13 - height];
  const below: [number, number] = [within(k.x - w / 2), k.y + 13];
  const beside: [number, number][] = [
    [k.x + 15, k.y - height / 2],
    [k.x - 15 - w, k.y - height / 2],
  ];
  if (inHall(g, k)) {
    const x = Math.min(Math.max(g.hall.x + 6, k.x - w / 2), g.hall.x + g.hall.w - w - 6);
    return [[x, k.y + 12]];
  }
  // Under the hall, where nothing is to be read.
  if (k.shape === "write" && g.shape === "wide") return [[within(k.x - w / 2), g.hall.y + g.hall.h + 3]];
  return k.shape === "watch" ? [above, below, ...beside] : [...beside, above, below];
}

const inHall = (g: Geometry, k: Token) => k.y === g.rail && k.x > g.hall.x && k.x < g.hall.x + g.hall.w;

/** Tokens as elements: each keeps its own for as long as it travels, of which then only the place changes. */
export function tokenLayer(
  g: Geometry,
  size: Scale,
  { tokens: all, badges }: Tokens,
  focus: number,
  chosen: number | null,
  paused: boolean,
): VNode[] {
  // The event at the playhead lies above the others.
  const tokens = [...all.filter((k) => k.seq !== focus), ...all.filter((k) => k.seq === focus)];
  const taken: Area[] = [];
  const isFree = (a: Area, i: number): boolean =>
    !taken.some((b) => overlap(b, a)) &&
    !tokens.some((k, j) => j !== i && k.x - 9 < a.x2 && a.x1 < k.x + 9 && k.y - 9 < a.y2 && a.y1 < k.y + 9);
  const words = new Map<number, { x: number; y: number; w: number }>();
  // The newest speak first; the event at the playhead before all.
  const last = tokens.length - 1;
  for (let i = last; i >= 0 && i > last - ASKED && words.size < WORDS; i--) {
    const k = tokens[i]!;
    if (!k.label) continue;
    const w = widthOf(k.label, size.small) + 16;
    for (const [x, y] of spotsFor(g, k, w, size.small + 9)) {
      const area = { x1: x, y1: y, x2: x + w, y2: y + size.small + 10 };
      if (x < 0 || y < 0 || area.x2 > g.width || area.y2 > g.height) continue;
      if (!isFree(area, i)) continue;
      // Only the word of what happens now may lie on a box.
      if (k.seq !== focus && !k.word && boxesOf(g).some((b) => overlap(b, area))) continue;
      taken.push(area);
      words.set(i, { x, y, w });
      break;
    }
  }
  const layer = tokens.map((k) => token(k, k.seq === focus, k.seq === chosen, paused));
  const height = size.small + 9;
  const said = [...words].map(([i, at], n) => {
    const k = tokens[i]!;
    return h(
      "g",
      {
        key: `w${n}`,
        class: `word deed-${k.refused ? "delete" : k.deed}${k.inferred ? " inferred" : ""}`,
        transform: `translate(${round(at.x)} ${round(at.y)})`,
      },
      h("rect", { width: at.w, height, rx: height / 2 }),
      h("text", { x: at.w / 2, y: height * 0.71, "text-anchor": "middle" }, k.label),
    );
  });
  const counted = badges.map((b, n) =>
    h(
      "g",
      { key: `b${n}`, class: "badge", transform: `translate(${b.x} ${b.y})` },
      h("rect", { x: -22, y: -12, width: 44, height: 24, rx: 12 }),
      h("text", { y: 5, "text-anchor": "middle" }, `×${b.count}`),
    ),
  );
  return [...layer, ...counted, ...said];
}

const marks = new Map<string, VNode[]>();
/** What most tokens consist of: the same value for the same mark, which drawing passes over. */
function markOf(k: Token): VNode[] {
  const as = `${k.shape} ${k.deed} ${k.inferred} ${k.refused}`;
  let mark = marks.get(as);
  if (!mark) {
    mark = [tokenShape(k.shape, k.deed, k.inferred, k.refused)];
    marks.set(as, mark);
  }
  return mark;
}

/** There are hundreds in a frame: a token's element is written down as it is, without h. */
function token(k: Token, now: boolean, chosen: boolean, paused: boolean): VNode {
  const attrs: VNode["attrs"] = {
    class: k.resting ? "token resting" : "token",
    "data-token": k.seq,
    "data-shape": k.shape,
    transform: `translate(${k.x} ${k.y})`,
  };
  // While it moves, a token is scenery; the transcript tells of it.
  if (paused) {
    attrs.role = "button";
    attrs.tabindex = 0;
    attrs["aria-label"] = k.label || k.shape;
  } else attrs["aria-hidden"] = "true";
  if (k.opacity < 1) attrs.opacity = round(k.opacity);
  let children = markOf(k);
  if (now || chosen)
    children = [h("circle", { key: "halo", r: 16, class: chosen ? "halo halo-chosen" : "halo" }), ...children];
  return { tag: "g", key: k.key, attrs, children };
}
