// The quiet lane: what happens all the time, counted, with a mark for each of
// the last beats.
import { word } from "../i18n/ui.ts";
import { type Quiet, quietLanes } from "../model/lane.ts";
import { h, type VNode } from "./node.ts";
import { part, rect, small, text, thousands, type View } from "./part.ts";
import { sameAsBefore } from "./same.ts";
import type { Box } from "./way.ts";

const told: readonly Quiet[] = ["leases", "nodeStatus", "events", "reads"];

/** The list of beats is replaced when one comes, and with it every count. */
export function quietLane(v: View): VNode {
  return sameAsBefore(v, "quiet", [v.state.beats, v.state.cloud], () => draw(v));
}

function draw(v: View): VNode {
  const { geometry: g, state: s, lang } = v;
  const full = g.quiet;
  const b = s.cloud && g.shape === "wide" ? { ...full, y: full.y + 46, h: full.h - 46 } : full;
  const low = b.h < 100;
  const w = b.w - 24;
  const left = w * 0.43;
  const cells = told.slice(0, low ? 2 : 4).map((q, i) => {
    const second = i % 2 === 1;
    const x = b.x + 16 + (second ? left : 0);
    const y = b.y + 50 + Math.floor(i / 2) * 22;
    return h(
      "g",
      { key: q },
      quietMark(q, x + 4, y - 5),
      small(v, x + 12, y, "", `${word(lang, q)} ${thousands(s.quiet[q])}`, (second ? w - left : left) - 12),
    );
  });
  const all = quietLanes.reduce((n, q) => n + s.quiet[q], 0);
  return part(
    v,
    "quiet",
    `${word(lang, "quiet")}: ${told.map((q) => `${word(lang, q)} ${s.quiet[q]}`).join(", ")}`,
    "quiet",
    rect(b, "quiet-card", 14),
    text(b.x + 16, b.y + 25, "t-quiet", word(lang, "quiet")),
    small(v, b.x + b.w - 16, b.y + 25, "", thousands(all), 90, "end"),
    cells,
    low ? null : beats(s.beats, b),
  );
}

function beats(list: readonly Quiet[], b: Box): VNode {
  const marks = list.map((q, i) => quietMark(q, b.x + 20 + i * ((b.w - 40) / 39), b.y + b.h - 14, `beat ${i}`));
  return h("g", { key: "beats" }, marks);
}

/** A heartbeat's mark; its form says which. */
export function quietMark(q: Quiet, x: number, y: number, key?: string): VNode {
  const cls = `beat beat-${q}`;
  switch (q) {
    case "leases":
      return h("circle", { key, cx: x, cy: y, r: 3, class: cls });
    case "nodeStatus":
      return h("rect", { key, x: x - 3, y: y - 3, width: 6, height: 6, class: cls });
    case "events":
      return h("path", { key, d: `M${x} ${y - 4}l4 7h-8z`, class: cls });
    case "reads":
      return h("path", { key, d: `M${x - 3} ${y}h6`, class: `${cls} stroke` });
    case "setup":
      return h("path", { key, d: `M${x} ${y - 4}l4 4l-4 4l-4 -4z`, class: cls });
    case "probes":
      return h("path", { key, d: `M${x - 3} ${y - 3}v6m6 -6v6`, class: `${cls} stroke` });
  }
}
