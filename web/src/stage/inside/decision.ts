// Inside the kube-scheduler: the decision at the playhead as a funnel, node by
// node: who was filtered out and why, who got how many points from whom.

import { shortTime, word } from "../../i18n/ui.ts";
import type { Decision } from "../../model/decision.ts";
import { instant } from "../../wire/instant.ts";
import { h, type VNode } from "../node.ts";
import { small, text, type View } from "../part.ts";
import { tellNodes, verdict } from "../scheduler.ts";
import { row, type Sheet } from "./sheet.ts";

interface Timed {
  point: string;
  start: string;
  end: string;
}

export function decision(sheet: Sheet): VNode[] {
  const { v, b, wide } = sheet;
  const e = v.cycle ? v.event(v.cycle.seq) : undefined;
  if (!e) return [small(v, b.x, b.y + 24, "", word(v.lang, "noDecision"), b.w)];
  const d = (e.detail ?? {}) as Decision & { evaluated?: number; attempt?: number; steps?: Timed[] };
  const told = v.cycle?.told ?? 1;
  const tone = told < 1 ? "t-accent" : d.result === "scheduled" ? "t-good" : "t-bad";
  const out: VNode[] = [
    text(b.x, b.y + 24, "t-head", `pod/${e.object?.name ?? ""}`),
    small(v, b.x + b.w, b.y + 24, `${tone} t-strong`, verdict(v, d, told), 260, "end"),
    ...funnel(sheet, d, told),
  ];
  const plugins = pluginsOf(d);
  const top = b.y + 150;
  const steps = (d.steps ?? []).slice(0, 12);
  const mainW = wide ? b.w - 250 : b.w;
  const list = plugins.slice(0, 8);
  const height = Math.min(46, Math.max(32, 250 / Math.max(1, d.nodes?.length ?? 1)));
  const bottom = b.y + b.h - (wide ? 0 : 60 + steps.length * 22);
  const legend = list.length ? 54 : 0;
  const nodes = tellNodes(d, Math.max(1, Math.floor((bottom - legend - top) / height) - 1));
  const most = Math.max(1, ...(d.nodes ?? []).map((n) => n.total ?? 0));
  const main = { v, b: { ...b, w: mainW } };
  nodes.forEach((n, i) => {
    const y = top + i * height;
    const win = n.name === d.node && told >= 1;
    const x = b.x + 130;
    const w = mainW - 130 - 54;
    const scored = told >= 0.6 && n.total !== undefined;
    const says =
      told < 0.2
        ? ""
        : n.rejected
          ? `✕ ${n.rejected.plugin}: ${n.rejected.reason}`
          : scored
            ? ""
            : `✓ ${word(v.lang, d.feasible === 1 ? "onlyOne" : "passedFilter")}`;
    out.push(
      row(
        main,
        y,
        { key: `node ${n.name}`, height, cls: win ? "now" : "" },
        [
          { x: 0, w: 122 },
          { x: 130, w: mainW - 130 },
          { x: mainW - 54, w: 54, end: true },
        ],
        [
          { s: n.name, cls: win ? "t-ink t-strong" : n.rejected ? "" : "t-ink" },
          { s: says, cls: n.rejected ? "t-bad" : "t-good" },
          scored ? { s: String(n.total), cls: "t-good t-strong" } : null,
        ],
        scored ? stack(n.scores ?? {}, plugins, x, y + 8, (w * (n.total ?? 0)) / most, n.total ?? 0) : null,
      ),
    );
  });
  const hidden = (d.nodes ?? []).length - nodes.length;
  if (hidden > 0) out.push(small(v, b.x, top + nodes.length * height + 20, "", word(v.lang, "moreOf", hidden), mainW));
  if (told >= 0.6) out.push(...pluginLegend(v, list, d, b.x, bottom - 34, mainW));
  out.push(...timing(v, steps, wide ? b.x + b.w - 216 : b.x, wide ? top + 16 : bottom + 24, wide ? 216 : b.w));
  return out;
}

/** All nodes, those that were looked at, those that were left, the one. */
function funnel({ v, b }: Sheet, d: Decision & { evaluated?: number }, told: number): VNode[] {
  const known = v.state.nodes.size;
  const evaluated = d.evaluated ?? d.nodes?.length ?? 0;
  const counts: [string, number, boolean][] = [
    [word(v.lang, "nodesKnown"), Math.max(known, evaluated), true],
    [word(v.lang, "evaluated"), evaluated, told >= 0.2],
    [word(v.lang, "leftOver"), d.feasible ?? 0, told >= 0.45],
    [word(v.lang, "chosenOne"), d.result === "scheduled" ? 1 : 0, told >= 1],
  ];
  const most = Math.max(1, counts[0]![1]);
  const w = b.w / counts.length;
  const high = 40;
  const y = b.y + 82;
  const half = (n: number) => 4 + ((high / 2 - 4) * n) / most;
  return counts.map(([name, n, seen], i) => {
    const x = b.x + i * w;
    const to = counts[i + 1]?.[1] ?? n;
    const a = half(n);
    const z = seen ? half(Math.min(to, n)) : a;
    return h(
      "g",
      { key: `funnel ${i}`, class: `funnel-part ${seen ? "seen" : ""}`.trim() },
      h("path", { d: `M${x} ${y - a}H${x + w * 0.72}L${x + w - 4} ${y - z}V${y + z}L${x + w * 0.72} ${y + a}H${x}z` }),
      text(x + 14, y + 6, "t-head", seen ? String(n) : "…"),
      small(v, x + 2, y + 42, seen ? "t-ink" : "", name, w - 8),
    );
  });
}

function pluginsOf(d: Decision): string[] {
  const sums = new Map<string, number>();
  for (const n of d.nodes ?? [])
    for (const [p, s] of Object.entries(n.scores ?? {})) sums.set(p, (sums.get(p) ?? 0) + s);
  return [...sums]
    .filter(([, points]) => points > 0)
    .sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))
    .map(([p]) => p);
}

const shade = (plugins: readonly string[], p: string) => `segment segment-${Math.min(5, plugins.indexOf(p))}`;

function stack(
  scores: Record<string, number>,
  plugins: readonly string[],
  x: number,
  y: number,
  w: number,
  total: number,
): VNode {
  let left = x;
  return h(
    "g",
    { class: "stack" },
    plugins
      .filter((p) => (scores[p] ?? 0) > 0)
      .map((p) => {
        const part = (w * scores[p]!) / Math.max(1, total);
        const seg = h(
          "rect",
          { key: p, x: left, y, width: Math.max(1, part - 1.5), height: 16, class: shade(plugins, p) },
          h("title", null, `${p} ${scores[p]}`),
        );
        left += part;
        return seg;
      }),
  );
}

function pluginLegend(v: View, plugins: readonly string[], d: Decision, x: number, y: number, w: number): VNode[] {
  const columns = w > 500 ? 3 : 2;
  const one = w / columns;
  const points = d.nodes?.find((n) => n.name === d.node)?.scores ?? {};
  return plugins.slice(0, columns * 2).map((p, i) => {
    const at = { x: x + (i % columns) * one, y: y + Math.floor(i / columns) * 22 };
    return h(
      "g",
      { key: `plugin ${p}` },
      h("rect", { x: at.x, y: at.y - 10, width: 12, height: 12, rx: 3, class: shade(plugins, p) }),
      small(v, at.x + 18, at.y + 1, "", `${p} ${points[p] ?? ""}`, one - 24),
    );
  });
}

/** How long each point of the cycle took. */
function timing(v: View, steps: readonly Timed[], x: number, y: number, w: number): VNode[] {
  if (steps.length === 0) return [];
  return [
    small(v, x, y, "t-strong", word(v.lang, "pointsOfCycle"), w),
    ...steps.flatMap((s, i) => {
      const at = y + 22 + i * 22;
      const took = shortTime(Math.max(0, instant(s.end) - instant(s.start)));
      return [small(v, x, at, "t-ink", s.point, w - 104), small(v, x + w, at, "", took, 100, "end")];
    }),
  ];
}
