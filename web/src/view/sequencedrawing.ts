// The drawing of a sequence: a head with the actors' names, which stays in
// sight, and a body of rows, of which only those in sight are made.
import type { Lang } from "../app.ts";
import { duration } from "../i18n/ui.ts";
import { shorten } from "../stage/measure.ts";
import { h, toText, type VNode } from "../stage/node.ts";
import type { Row, Sequence } from "./sequence.ts";

export const ROW = 34;
export const HEAD = 46;
const TIME = 84;
const LEAST = 108;
const MOST = 190;

/** How wide a column is when so many must fit. */
export function columnFor(width: number, lines: number): number {
  return Math.max(LEAST, Math.min(MOST, (width - TIME) / Math.max(1, lines)));
}

export function widthOf(s: Sequence, column: number): number {
  return TIME + s.lines.length * column;
}

const xOf = (line: number, column: number) => TIME + column * (line + 0.5);

export function head(s: Sequence, column: number): VNode[] {
  return s.lines.map((l, i) => {
    const x = xOf(i, column);
    const most = Math.floor(column / 6.7);
    return h(
      "g",
      { key: `h${i}`, class: "seq-name" },
      h("title", null, l.name),
      h("rect", { x: x - column / 2 + 4, y: 4, width: column - 8, height: HEAD - 8, rx: 7 }),
      l.written.map((w, k) =>
        h("text", { x, y: HEAD / 2 + (l.written.length === 1 ? 5 : k === 0 ? -2 : 13) }, shorten(w, most)),
      ),
    );
  });
}

export interface Sight {
  /** The first and the last row to make. */
  first: number;
  last: number;
  column: number;
  now: number;
  selected: number;
  lang: Lang;
  say(row: Row): string;
}

/** Rows that were made, to be used again while they are the same. */
export type Made = Map<number, { as: string; node: VNode }>;

export function body(s: Sequence, sight: Sight, made: Made = new Map()): VNode[] {
  const { column, first, last } = sight;
  const end = s.rows.length * ROW;
  const lines = s.lines.map((_, i) =>
    h("line", { key: `l${i}`, class: "seq-line", x1: xOf(i, column), x2: xOf(i, column), y1: 0, y2: end }),
  );
  const rows = s.rows.slice(first, last + 1).map((r, k) => {
    const as = `${first + k} ${column} ${s.lines.length} ${r.seq === sight.now} ${r.seq === sight.selected}`;
    const known = made.get(r.seq);
    if (known?.as === as) return known.node;
    const node = row(s, r, first + k, sight);
    made.set(r.seq, { as, node });
    return node;
  });
  return [...lines, ...rows];
}

function row(s: Sequence, r: Row, index: number, sight: Sight): VNode {
  const { column, lang } = sight;
  const y = index * ROW + ROW - 10;
  const x1 = xOf(r.from, column);
  const x2 = xOf(r.to, column);
  const self = r.from === r.to;
  const width = widthOf(s, column);
  const label = shorten(r.label, 46);
  const half = label.length * 3.3;
  const middle = self ? x1 + 14 + half : (x1 + x2) / 2;
  const x = Math.min(Math.max(middle, TIME + half), Math.max(TIME + half, width - half - 4));
  return h(
    "g",
    {
      key: `r${r.seq}`,
      class: `seq-row deed-${r.refused ? "delete" : r.deed} kind-${r.kind}${r.inferred ? " inferred" : ""}${r.seq === sight.now ? " now" : ""}${r.seq === sight.selected ? " selected" : ""}`,
      role: "button",
      tabindex: 0,
      "aria-label": sight.say(r),
      "data-event": r.seq,
    },
    h("rect", { class: "seq-hit", x: 0, y: index * ROW, width, height: ROW }),
    h("text", { class: "seq-time", x: TIME - 10, y: y + 4 }, r.after === 0 ? "0" : `+${duration(lang, r.after)}`),
    self
      ? h("path", { class: "seq-self", d: `M${x1} ${y - 7}l7 7l-7 7l-7 -7z` })
      : h("line", { class: "seq-arrow", x1, x2: x2 - Math.sign(x2 - x1) * 7, y1: y, y2: y }),
    self ? null : arrowEnd(x2, y, Math.sign(x2 - x1), r.refused),
    h("text", { class: "seq-label", x, y: self ? y + 4 : y - 6 }, label),
  );
}

/** Where an arrow arrived, or that it was refused there. */
function arrowEnd(x: number, y: number, way: number, refused: boolean): VNode {
  return refused
    ? h("path", { class: "seq-cross", d: `M${x - way * 13} ${y - 5}l10 10m0 -10l-10 10` })
    : h("path", { class: "seq-mark", d: `M${x - way * 9} ${y - 5}L${x - way} ${y}L${x - way * 9} ${y + 5}` });
}

/** The whole of it as a file of its own, in the colours it is shown in. */
export function standalone(s: Sequence, title: string, lang: Lang, colour: (name: string) => string): string {
  const column = 130;
  const width = Math.max(widthOf(s, column), 420);
  const height = HEAD * 2 + s.rows.length * ROW + 12;
  const sight: Sight = { first: 0, last: s.rows.length, column, now: 0, selected: 0, lang, say: (r) => r.label };
  const style = [
    `svg{background:${colour("card")};font-family:Pretendard,system-ui,sans-serif}`,
    `text{font-size:12.5px;fill:${colour("ink")}}`,
    ".title{font-size:16px;font-weight:700}",
    `.seq-name rect{fill:${colour("card-2")};stroke:${colour("line")}}`,
    ".seq-name text,.seq-label{text-anchor:middle}.seq-name text{font-weight:600}",
    `.seq-line{stroke:${colour("line")}}`,
    `.seq-time{text-anchor:end;font-size:11.5px;fill:${colour("muted")}}`,
    ".seq-hit{fill:none}",
    `.seq-label{paint-order:stroke;stroke:${colour("card")};stroke-width:4px}`,
    ".seq-arrow{stroke-width:1.8}.seq-mark,.seq-cross{stroke-width:1.8;fill:none}",
    ".kind-watch .seq-arrow{stroke-dasharray:2 4}.inferred .seq-arrow{stroke-dasharray:7 5}",
    ...["create", "update", "delete", "read", "decide"].map((d) => {
      const c = colour(`verb-${d}`);
      return `.deed-${d} .seq-arrow,.deed-${d} .seq-mark,.deed-${d} .seq-cross{stroke:${c}}.deed-${d} .seq-self{fill:${c}}`;
    }),
  ].join("");
  return toText(
    h(
      "svg",
      { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}` },
      h("title", null, title),
      h("style", null, style),
      h("text", { class: "title", x: 12, y: 28 }, shorten(title, Math.floor(width / 9))),
      h("g", { transform: `translate(0 ${HEAD})` }, head(s, column)),
      h("g", { transform: `translate(0 ${2 * HEAD})` }, body(s, sight)),
    ),
  );
}
