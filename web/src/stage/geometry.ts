// Where everything is. One place for each component, the same in every
// chapter; lines run in the gutters between boxes and never through them. The
// wide picture is for desks and projectors, the tall one for phones.

export interface Point {
  x: number;
  y: number;
}
export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}
export interface NodeBox extends Box {
  kubelet: Box;
  runtime: Box;
  pods: Box;
}
export type Shape = "wide" | "tall";

export interface Geometry {
  shape: Shape;
  width: number;
  height: number;
  person: Box;
  kubestage: Box;
  others: Box;
  hall: Box;
  gates: Box[];
  /** The way through the hall: from the door past every gate. */
  rail: number;
  door: Point;
  watchBar: { x1: number; x2: number; y: number };
  etcd: Box;
  controllers: Box;
  scheduler: Box;
  cloud: Box;
  quiet: Box;
  nodes: NodeBox[];
  /** Stands for the nodes that are not drawn one by one. */
  more: Box | null;
  /** The way of a request from a place to the door. */
  toDoor(place: string, node: number): Point[];
  /** The way of a notification from the watch bar to a place. */
  fromWatch(place: string, node: number): Point[];
  /** The way of a write from the last gate to etcd. */
  toEtcd: Point[];
}

/** Nodes drawn one by one. */
export const NODES = 8;

const box = (x: number, y: number, w: number, h: number): Box => ({ x, y, w, h });
const at = (x: number, y: number): Point => ({ x, y });

function nodeBox(b: Box): NodeBox {
  const low = b.h < 200;
  const top = b.y + (low ? 38 : 48);
  const chip = low ? 32 : 42;
  const kubelet = box(b.x + 14, top, Math.min(120, b.w * 0.3), chip);
  const rw = Math.min(170, b.w * 0.43);
  return {
    ...b,
    kubelet,
    runtime: box(b.x + b.w - 14 - rw, top, rw, chip),
    pods: box(b.x + 14, top + chip + 12, b.w - 28, b.y + b.h - 12 - (top + chip + 12)),
  };
}

export function geometry(shape: Shape, nodes: number): Geometry {
  return shape === "wide" ? wide(nodes) : tall(nodes);
}

function wide(count: number): Geometry {
  const W = 1320;
  const H = 836;
  const shown = count > NODES ? NODES - 1 : count;
  const boxes = Math.max(1, Math.min(NODES, count));
  const rows = boxes > 4 ? 2 : 1;
  const columns = rows === 2 ? 4 : boxes;
  const gap = 24;
  const top = 508;
  const w = Math.min(640, (W - gap * (columns - 1)) / columns);
  const h = rows === 2 ? 154 : H - top;
  const place = (i: number) => box((i % columns) * (w + gap), top + Math.floor(i / columns) * (h + 20), w, h);
  const nodeBoxes = Array.from({ length: shown }, (_, i) => nodeBox(place(i)));
  const hall = box(248, 0, 688, 226);
  const rail = 146;
  const door = at(hall.x, rail);
  const scheduler = box(496, 290, 440, 162);
  const controllers = box(0, 290, 440, 162);
  const etcd = box(1004, 0, 316, 226);
  const person = box(0, 98, 176, 96);
  const kubestage = box(0, 0, 176, 40);
  const others = box(0, 48, 176, 40);
  const bus = 264;
  const entry = 222;
  const home = [at(entry, rail), door];
  const upFromBus = [at(entry, bus), ...home];
  const gutter = (i: number) => {
    const column = i % columns;
    const b = place(i);
    return column < columns - 1 ? b.x + b.w + gap / 2 : b.x - gap / 2;
  };
  return {
    shape: "wide",
    width: W,
    height: H,
    person,
    kubestage,
    others,
    hall,
    gates: Array.from({ length: 5 }, (_, i) => box(hall.x + 22 + i * 130, 52, 124, 76)),
    rail,
    door,
    watchBar: { x1: hall.x + 22, x2: hall.x + hall.w - 22, y: 213 },
    etcd,
    controllers,
    scheduler,
    cloud: box(976, 290, 344, 74),
    quiet: box(976, 290, 344, 162),
    nodes: nodeBoxes,
    more: count > NODES ? place(NODES - 1) : null,
    toDoor(p, node) {
      switch (p) {
        case "person":
          return [at(person.x + person.w, rail), door];
        case "kubestage":
          return [at(kubestage.x + kubestage.w, 20), at(200, 20), at(200, rail), door];
        case "others":
          return [at(others.x + others.w, 68), at(200, 68), at(200, rail), door];
        case "apiserver":
          return [at(hall.x - 14, rail), door];
        case "controllers":
          return [at(270, controllers.y), at(270, bus), ...upFromBus];
        case "scheduler":
          return [at(580, scheduler.y), at(580, bus), ...upFromBus];
        case "cloud":
          return [at(1060, 290), at(1060, bus), ...upFromBus];
      }
      const b = place(Math.max(0, node));
      const x = b.x + b.w / 2 - 24;
      const trunk = [at(458, 490), at(458, bus), ...upFromBus];
      if (node < columns) return [at(x, b.y), at(x, 490), ...trunk];
      const g = gutter(node) - 4;
      return [at(x, b.y), at(x, b.y - 8), at(g, b.y - 8), at(g, 490), ...trunk];
    },
    fromWatch(p, node) {
      const bar = 213;
      switch (p) {
        case "person":
          return [at(hall.x, rail - 8), at(person.x + person.w, rail - 8)];
        case "kubestage":
          return [at(hall.x, rail - 8), at(208, rail - 8), at(208, 26), at(176, 26)];
        case "others":
          return [at(hall.x, rail - 8), at(208, rail - 8), at(208, 74), at(176, 74)];
        case "controllers":
          return [at(360, bar), at(360, controllers.y)];
        case "scheduler":
          return [at(716, bar), at(716, scheduler.y)];
        case "cloud":
          return [at(900, bar), at(900, 246), at(1120, 246), at(1120, 290)];
      }
      const b = place(Math.max(0, node));
      const x = b.x + b.w / 2 + 24;
      const trunk = [at(478, bar), at(478, 472)];
      if (node < columns) return [...trunk, at(x, 472), at(x, b.y)];
      const g = gutter(node) + 4;
      return [...trunk, at(g, 472), at(g, b.y - 13), at(x, b.y - 13), at(x, b.y)];
    },
    toEtcd: [at(hall.x + 22 + 4 * 130 + 62, rail), at(etcd.x, rail)],
  };
}

function tall(count: number): Geometry {
  const W = 560;
  const shown = count > NODES ? NODES - 1 : count;
  const boxes = Math.max(1, Math.min(NODES, count));
  const columns = boxes > 3 ? 2 : 1;
  const rows = Math.ceil(boxes / columns);
  const top = 824;
  const h = 176;
  const w = columns === 1 ? 488 : 232;
  const place = (i: number) => box(28 + (i % columns) * 256, top + Math.floor(i / columns) * (h + 22), w, h);
  const quiet = box(28, top + rows * (h + 22) + 6, 488, 104);
  const hall = box(28, 112, 532, 226);
  const rail = hall.y + 146;
  const door = at(hall.x, rail);
  const person = box(28, 0, 172, 78);
  const kubestage = box(212, 0, 154, 78);
  const others = box(378, 0, 182, 78);
  const scheduler = box(28, 392, 254, 190);
  const etcd = box(310, 392, 250, 190);
  const controllers = box(28, 626, 488, 162);
  const left = 12;
  const right = 540;
  const home = [at(left, rail), door];
  const gatesX = hall.x + 11;
  return {
    shape: "tall",
    width: W,
    height: quiet.y + quiet.h,
    person,
    kubestage,
    others,
    hall,
    gates: Array.from({ length: 5 }, (_, i) => box(gatesX + i * 103, hall.y + 52, 98, 76)),
    rail,
    door,
    watchBar: { x1: hall.x + 14, x2: hall.x + hall.w - 14, y: hall.y + 213 },
    etcd,
    controllers,
    scheduler,
    cloud: box(28, 750, 488, 38),
    quiet,
    nodes: Array.from({ length: shown }, (_, i) => nodeBox(place(i))),
    more: count > NODES ? place(NODES - 1) : null,
    toDoor(p, node) {
      const drop = (b: Box) => [at(b.x + b.w / 2, b.y + b.h), at(b.x + b.w / 2, 95), at(left, 95), ...home];
      const side = (b: Box) => [at(b.x, b.y + 40), at(left, b.y + 40), ...home];
      switch (p) {
        case "person":
          return drop(person);
        case "kubestage":
          return drop(kubestage);
        case "others":
          return drop(others);
        case "apiserver":
          return [at(left, rail), door];
        case "controllers":
        case "cloud":
          return side(controllers);
        case "scheduler":
          return side(scheduler);
      }
      const b = place(Math.max(0, node));
      if (columns === 1 || node % 2 === 0) return side(b);
      return [at(b.x + 40, b.y), at(b.x + 40, b.y - 8), at(left, b.y - 8), ...home];
    },
    fromWatch(p, node) {
      const bar = hall.y + 213;
      switch (p) {
        case "person":
        case "kubestage":
        case "others": {
          const b = p === "person" ? person : p === "kubestage" ? kubestage : others;
          const x = b.x + b.w / 2 + 14;
          return [at(hall.x, rail - 8), at(left + 6, rail - 8), at(left + 6, 101), at(x, 101), at(x, b.y + b.h)];
        }
        case "scheduler":
          return [at(155, bar), at(155, scheduler.y)];
        case "controllers":
        case "cloud":
          return [at(296, bar), at(296, controllers.y)];
      }
      const b = place(Math.max(0, node));
      const trunk = [at(296, bar), at(296, 604), at(right, 604)];
      if (columns === 1 || node % 2 === 1) return [...trunk, at(right, b.y + 40), at(b.x + b.w, b.y + 40)];
      return [...trunk, at(right, b.y - 14), at(b.x + b.w - 40, b.y - 14), at(b.x + b.w - 40, b.y)];
    },
    toEtcd: [at(gatesX + 4 * 103 + 49, rail), at(gatesX + 4 * 103 + 49, etcd.y)],
  };
}

/** A path with lengths, so that a point on it is found by one search. */
export class Way {
  private readonly sums: number[] = [0];
  constructor(readonly points: readonly Point[]) {
    for (let i = 1; i < points.length; i++) {
      const a = points[i - 1]!;
      const b = points[i]!;
      this.sums.push(this.sums[i - 1]! + Math.hypot(b.x - a.x, b.y - a.y));
    }
  }
  get length(): number {
    return this.sums[this.sums.length - 1]!;
  }
  /** The point at u of the way, 0 ≤ u ≤ 1. */
  at(u: number): Point {
    const want = Math.min(1, Math.max(0, u)) * this.length;
    let i = 1;
    while (i < this.sums.length - 1 && this.sums[i]! < want) i++;
    const a = this.points[i - 1]!;
    const b = this.points[i] ?? a;
    const span = (this.sums[i] ?? 0) - this.sums[i - 1]!;
    const k = span > 0 ? (want - this.sums[i - 1]!) / span : 0;
    return { x: a.x + (b.x - a.x) * k, y: a.y + (b.y - a.y) * k };
  }
  reversed(): Way {
    return new Way([...this.points].reverse());
  }
}

/** A way as SVG path data, its corners rounded. */
export function pathData(points: readonly Point[], radius = 10): string {
  const p0 = points[0]!;
  let d = `M${p0.x} ${p0.y}`;
  for (let i = 1; i < points.length; i++) {
    const b = points[i]!;
    const c = points[i + 1];
    if (!c) {
      d += `L${b.x} ${b.y}`;
      break;
    }
    const a = points[i - 1]!;
    const r = Math.min(radius, Math.hypot(b.x - a.x, b.y - a.y) / 2, Math.hypot(c.x - b.x, c.y - b.y) / 2);
    const p = toward(b, a, r);
    const q = toward(b, c, r);
    d += `L${p.x} ${p.y}Q${b.x} ${b.y} ${q.x} ${q.y}`;
  }
  return d;
}

function toward(from: Point, to: Point, by: number): Point {
  const l = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  return {
    x: Math.round((from.x + ((to.x - from.x) / l) * by) * 10) / 10,
    y: Math.round((from.y + ((to.y - from.y) / l) * by) * 10) / 10,
  };
}

export interface TileGrid {
  w: number;
  h: number;
  columns: number;
  rows: number;
  size: "large" | "medium" | "small";
}

/** How pods are laid in a node: as large as the fullest node allows. */
export function tileGrid(area: Box, crowd: number): TileGrid {
  const tiles = (w: number, h: number, size: TileGrid["size"]): TileGrid => ({
    w,
    h,
    size,
    columns: Math.max(1, Math.floor((area.w + 8) / (w + 8))),
    rows: Math.max(1, Math.floor((area.h + 8) / (h + 8))),
  });
  for (const g of [tiles(93, 97, "large"), tiles(72, 56, "medium")]) {
    if (g.rows * (g.h + 8) - 8 <= area.h && g.columns * g.rows >= crowd) return g;
  }
  return tiles(30, 30, "small");
}

export function tileAt(area: Box, g: TileGrid, slot: number): Box | null {
  const row = Math.floor(slot / g.columns);
  if (row >= g.rows) return null;
  return box(area.x + (slot % g.columns) * (g.w + 8), area.y + row * (g.h + 8), g.w, g.h);
}

/** About how wide a text is drawn; the same everywhere, so that pictures can be compared. */
export function widthOf(text: string, size: number, mono = false): number {
  if (mono) return text.length * size * 0.6;
  let w = 0;
  for (const c of text) {
    const code = c.codePointAt(0)!;
    w +=
      code > 0x1100 ? 0.9 : /[A-Z0-9@]/.test(c) ? 0.62 : /[ilj.,:;'| ]/.test(c) ? 0.28 : /[mwMW]/.test(c) ? 0.84 : 0.55;
  }
  return w * size;
}

/** Shortens in the middle, where Kubernetes names differ the least. */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  const tail = Math.ceil((max - 1) / 2);
  return `${text.slice(0, max - 1 - tail)}…${text.slice(text.length - tail)}`;
}
