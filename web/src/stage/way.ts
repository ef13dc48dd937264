// Points, boxes, and ways between them.

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

export const box = (x: number, y: number, w: number, h: number): Box => ({ x, y, w, h });
export const at = (x: number, y: number): Point => ({ x, y });
export const middle = (b: Box): Point => ({ x: b.x + b.w / 2, y: b.y + b.h / 2 });

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
