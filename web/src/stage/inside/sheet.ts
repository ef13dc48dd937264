// The sheet that what is inside a component is written on: headings, and
// rows of columns. On phones the columns of a row share two lines.
import { cut } from "../measure.ts";
import { h, type VNode } from "../node.ts";
import { text, type View } from "../part.ts";
import type { Box } from "../way.ts";

export interface Sheet {
  v: View;
  /** Where there is room, under the component's name. */
  b: Box;
  wide: boolean;
}

export interface Column {
  x: number;
  /** 0: there is no room for it. */
  w: number;
  /** Down from the row's first line. */
  dy?: number;
  end?: boolean;
}

export interface Said {
  s: string;
  cls?: string;
  mono?: boolean;
}

export function heading(x: number, y: number, s: string): VNode {
  return text(x, y, "t-head", s);
}

/** A text of a column; a plain string is a small text. */
export function cell(v: View, x: number, y: number, c: Column, said: Said | string | null): VNode | null {
  if (said === null || said === "" || c.w === 0) return null;
  const { s, cls = "", mono = false } = typeof said === "string" ? { s: said } : said;
  const size = mono ? v.size.mono : v.size.small;
  const at = x + c.x + (c.end ? c.w : 0);
  return text(
    at,
    y + (c.dy ?? 0),
    `${mono ? "t-mono" : "t-small"} ${cls}`.trim(),
    cut(s, c.w, size, mono),
    c.end ? "end" : undefined,
  );
}

export interface RowLook {
  key: string;
  height: number;
  /** "now", "faint", "ahead". */
  cls?: string;
  /** The event that is chosen with it. */
  seq?: number;
}

/** y is the row's upper edge. */
export function row(
  { v, b }: Pick<Sheet, "v" | "b">,
  y: number,
  look: RowLook,
  columns: readonly Column[],
  says: readonly (Said | string | null)[],
  ...more: (VNode | null)[]
): VNode {
  const base = y + v.size.small + 5;
  return h(
    "g",
    { key: look.key, class: `row ${look.cls ?? ""}`.trim(), ...(look.seq ? { "data-seq": look.seq } : {}) },
    h("rect", { x: b.x - 8, y, width: b.w + 16, height: look.height - 2, rx: 6, class: "row-box" }),
    ...columns.map((c, i) => cell(v, b.x, base, c, says[i] ?? null)),
    ...more,
  );
}
