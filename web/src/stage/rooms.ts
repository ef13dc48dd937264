// Where nodes are, from one to two hundred: as much of each as there is room
// for. A grain is chosen by how many rooms there ever were, so that a node
// keeps its place. One of them can be opened; it then takes the place of the
// others, which are counted beside it.
import { at, type Box, box, type Point } from "./way.ts";

export type Grain =
  | "full" // kubelet, runtime and pods one by one
  | "low" // the same, lower
  | "card" // name and pods by state
  | "cell" // name and number of pods
  | "dot"; // a bar

export interface NodeBox extends Box {
  grain: Grain;
  kubelet: Box;
  runtime: Box;
  pods: Box;
}

export interface Rooms {
  grain: Grain;
  columns: number;
  /** By slot; null for those that are not drawn one by one. */
  nodes: (NodeBox | null)[];
  /** Stands for the nodes that are not drawn one by one. */
  rest: Box | null;
  /** Where the sum of all is told, when nodes are small. */
  sum: Point | null;
  /** From a node's box out of the area: to its upper edge, or to the side. */
  leave(slot: number, lane: Lane): Point[];
}

/** Requests leave on one lane, notifications come on the other. */
export type Lane = "ask" | "tell";

interface Plan {
  grain: Grain;
  columns: number;
  rows: number;
  gap: number;
}

/** The most nodes that are drawn one by one. */
export const MOST_NODES = 200;

const wide: readonly [number, Plan][] = [
  [1, { grain: "full", columns: 1, rows: 1, gap: 20 }],
  [2, { grain: "full", columns: 2, rows: 1, gap: 20 }],
  [3, { grain: "full", columns: 3, rows: 1, gap: 20 }],
  [4, { grain: "full", columns: 4, rows: 1, gap: 18 }],
  [8, { grain: "low", columns: 4, rows: 2, gap: 16 }],
  [24, { grain: "card", columns: 8, rows: 3, gap: 10 }],
  [60, { grain: "cell", columns: 12, rows: 5, gap: 6 }],
  [MOST_NODES, { grain: "dot", columns: 20, rows: 10, gap: 5 }],
];
const tall: readonly [number, Plan][] = [
  [3, { grain: "full", columns: 1, rows: 3, gap: 16 }],
  [8, { grain: "low", columns: 1, rows: 8, gap: 16 }],
  [24, { grain: "card", columns: 3, rows: 8, gap: 10 }],
  [60, { grain: "cell", columns: 4, rows: 15, gap: 8 }],
  [MOST_NODES, { grain: "dot", columns: 8, rows: 25, gap: 6 }],
];
/** How high a room is where there is as much height as one wants. */
const heights: Record<Grain, number> = { full: 172, low: 88, card: 50, cell: 30, dot: 14 };

const SUM = 26;

function planFor(plans: readonly [number, Plan][], count: number): Plan {
  return (plans.find(([most]) => count <= most) ?? plans[plans.length - 1]!)[1];
}

function nodeBox(b: Box, grain: Grain): NodeBox {
  if (grain === "full") {
    const kubelet = box(b.x + 14, b.y + 38, Math.min(96, b.w * 0.32), 30);
    const rw = Math.min(150, b.w - 28 - kubelet.w - 24);
    const runtime = box(b.x + b.w - 14 - rw, b.y + 38, rw, 30);
    return { ...b, grain, kubelet, runtime, pods: box(b.x + 14, b.y + 78, b.w - 28, b.h - 88) };
  }
  if (grain === "low") {
    const runtime = box(b.x + b.w - 74, b.y + 6, 66, 24);
    const kubelet = box(b.x + b.w - 74 - 14 - 62, b.y + 6, 62, 24);
    return { ...b, grain, kubelet, runtime, pods: box(b.x + 10, b.y + 35, b.w - 20, b.h - 39) };
  }
  const y = grain === "card" ? b.y + b.h - 12 : b.y + b.h / 2;
  const side = (x: number) => box(x, y, 0, 0);
  return { ...b, grain, kubelet: side(b.x + 12), runtime: side(b.x + b.w - 12), pods: b };
}

/** Rooms in an area of fixed size, left by its upper edge. */
export function wideRooms(area: Box, count: number, open: number | null): Rooms {
  if (open !== null) {
    const one = nodeBox(box(area.x, area.y, area.w - 180, area.h), "full");
    const rest = box(area.x + area.w - 160, area.y, 160, area.h);
    const nodes = Array.from({ length: count }, (_, i) => (i === open ? one : null));
    const top = (i: number) => (i === open ? one : rest);
    return {
      grain: planFor(wide, count).grain,
      columns: 1,
      nodes,
      rest: count > 1 ? rest : null,
      sum: null,
      leave: (i, lane) => [at(top(i).x + top(i).w / 2 + aside(lane, 18), area.y)],
    };
  }
  const plan = planFor(wide, count);
  const { grain, columns, gap } = plan;
  const sum = grain === "full" || grain === "low" ? 0 : SUM;
  const w = Math.min(640, (area.w - gap * (columns - 1)) / columns);
  const h = (area.h - sum - gap * (plan.rows - 1)) / plan.rows;
  const place = (i: number) =>
    box(area.x + (i % columns) * (w + gap), area.y + Math.floor(i / columns) * (h + gap), w, h);
  const lanes = gap > 10 ? 3.5 : 1.5;
  return {
    ...oneByOne(count, columns * plan.rows, place, grain),
    columns,
    sum: sum ? at(area.x, area.y + area.h - 5) : null,
    leave(i, lane) {
      const b = place(Math.min(i, columns * plan.rows - 1));
      const x = b.x + b.w / 2 + aside(lane, Math.min(18, b.w / 5));
      if (i < columns) return [at(x, b.y)];
      // Up into the gap between the rows, aside into the gap between columns, and up.
      const y = b.y - gap / 2 + aside(lane, lanes);
      const gutter = (i % columns < columns - 1 ? b.x + b.w + gap / 2 : b.x - gap / 2) + aside(lane, lanes);
      return [at(x, b.y), at(x, y), at(gutter, y), at(gutter, area.y)];
    },
  };
}

/** Rooms under one another, as many as there are; left by the side. */
export function tallRooms(
  left: number,
  top: number,
  w: number,
  count: number,
  open: number | null,
): Rooms & { h: number } {
  if (open !== null) {
    const one = nodeBox(box(left, top, w, 240), "full");
    const rest = box(left, top + 256, w, 44);
    return {
      grain: planFor(tall, count).grain,
      columns: 1,
      nodes: Array.from({ length: count }, (_, i) => (i === open ? one : null)),
      rest: count > 1 ? rest : null,
      sum: null,
      h: 300,
      leave: (i, lane) => [at(lane === "ask" ? left : left + w, (i === open ? one : rest).y + 22)],
    };
  }
  const { grain, columns, rows, gap } = planFor(tall, count);
  const shown = Math.min(columns * rows, Math.max(1, count));
  const h = heights[grain];
  const cw = (w - gap * (columns - 1)) / columns;
  const place = (i: number) => box(left + (i % columns) * (cw + gap), top + Math.floor(i / columns) * (h + gap), cw, h);
  const bottom = Math.ceil(shown / columns) * (h + gap) - gap;
  const sum = grain === "full" || grain === "low" ? 0 : SUM;
  return {
    ...oneByOne(count, columns * rows, place, grain),
    columns,
    sum: sum ? at(left, top + bottom + SUM - 5) : null,
    h: bottom + sum,
    leave(i, lane) {
      const b = place(Math.min(i, columns * rows - 1));
      const side = lane === "ask" ? left : left + w;
      if (columns === 1) return [at(side, b.y + 22)];
      const y = b.y - gap / 2 + aside(lane, 1.5);
      const x = b.x + b.w / 2 + aside(lane, Math.min(14, b.w / 5));
      return [at(x, b.y), at(x, y), at(side, y)];
    },
  };
}

const aside = (lane: Lane, by: number) => (lane === "ask" ? -by : by);

/** Each its own room; when there are too many, the last room stands for the rest. */
function oneByOne(
  count: number,
  most: number,
  place: (i: number) => Box,
  grain: Grain,
): Pick<Rooms, "grain" | "nodes" | "rest"> {
  const shown = count > most ? most - 1 : count;
  return {
    grain,
    nodes: Array.from({ length: shown }, (_, i) => nodeBox(place(i), grain)),
    rest: count > most ? place(most - 1) : null,
  };
}
