// The kube-scheduler: pods without a node wait here, and the last decision
// is told as it was made: filters, then points.

import { word } from "../i18n/ui.ts";
import { actorOf } from "../model/actor.ts";
import type { Decision } from "../model/decision.ts";
import { type ComponentView, type PlacedPod, podsOn } from "../model/state.ts";
import type { KubeEvent } from "../wire/event.ts";
import { boot, dot, healthWords } from "./health.ts";
import { cut, widthOf } from "./measure.ts";
import { type Child, h, type VNode } from "./node.ts";
import { opener, part, rect, said, small, text, type View } from "./part.ts";
import { podTile } from "./pods.ts";
import { sameAsBefore } from "./same.ts";
import { type Box, box } from "./way.ts";

/** Nodes of a decision that are told in the card. */
const ROWS = 3;

export function verdict(v: View, d: Decision, told: number): string {
  if (told < 0.45 || (told < 1 && d.feasible === 1)) return word(v.lang, "filtering");
  if (told < 1) return word(v.lang, "scoring");
  if (d.result === "scheduled") return `${word(v.lang, "chose")} ${d.node}`;
  return word(v.lang, d.result === "error" ? "failed" : "found");
}

export function scheduler(v: View): VNode {
  const { state: s } = v;
  const health = s.components.get("kube-scheduler");
  const e = v.cycle ? v.event(v.cycle.seq) : undefined;
  const d = (e?.detail ?? {}) as Decision;
  const told = v.cycle?.told ?? 1;
  const now = told < 1 || actorOf(v.event(v.focus)?.from ?? "").role === "scheduler";
  const waiting = podsOn(s, "");
  const of = [e, told, now, health, s.links.get("kube-scheduler"), waiting, waiting.length > 0 && v.event(v.focus)];
  return sameAsBefore(v, "scheduler", of, () => draw(v, e, d, told, now, waiting, health));
}

function draw(
  v: View,
  e: KubeEvent | undefined,
  d: Decision,
  told: number,
  now: boolean,
  waiting: readonly PlacedPod[],
  health: ComponentView | undefined,
): VNode {
  const { lang } = v;
  const b = v.geometry.scheduler;
  const booting = boot(v, health, b.x + 34, b.y + 60, b.w - 50);
  const says = e ? verdict(v, d, told) : "";
  const shortly = told >= 1 && d.result === "scheduled" ? `→ ${d.node}` : says;
  const tone = told < 1 ? "t-accent" : d.result === "scheduled" ? "t-good" : "t-bad";
  const left = b.x + 34 + widthOf("kube-scheduler", v.size.head) + 12;
  const right = b.x + b.w - 66; // the decision's token is there, and the sign to look inside
  const shown = waiting.length > 4 ? 3 : waiting.length;
  const after = left + shown * 24 + (waiting.length > shown ? 34 : 0) + 6;
  const children: Child[] = [
    part(
      v,
      "kube-scheduler",
      `kube-scheduler, ${healthWords(v, health)} ${says}`,
      `scheduler ${now ? "now" : ""}`,
      rect(b, "card", 14),
      dot(b.x + 20, b.y + 20, health),
      text(b.x + 34, b.y + 26, "t-head", "kube-scheduler"),
      shortly && !booting && widthOf(shortly, v.size.small) <= right - after
        ? text(right, b.y + 26, `t-small ${tone}`, shortly, "end")
        : null,
      booting,
      !booting && !e ? said(v, b.x + 34, b.y + 62, word(lang, "noDecision"), b.w - 46) : null,
      e && !booting ? funnel(v, e, d, told, b) : null,
    ),
  ];
  for (const [i, p] of waiting.slice(0, shown).entries())
    children.push(podTile(v, p, box(left + i * 24, b.y + 10, 20, 20), "medium"));
  if (waiting.length > shown)
    children.push(small(v, left + shown * 24 + 2, b.y + 26, "", `+${waiting.length - shown}`, 34));
  children.push(opener("kube-scheduler", b.x + b.w - 21, b.y + 20, word(lang, "lookInto", "kube-scheduler")));
  return h("g", { key: "scheduler" }, children);
}

/** The nodes worth telling first: the chosen one, then by points, in the order of the decision. */
export function tellNodes(d: Decision, room: number): NonNullable<Decision["nodes"]> {
  const all = d.nodes ?? [];
  if (all.length <= room) return all;
  const ranked = [...all].sort(
    (x, y) => Number(y.name === d.node) - Number(x.name === d.node) || (y.total ?? -1) - (x.total ?? -1),
  );
  const keep = new Set(ranked.slice(0, room).map((n) => n.name));
  return all.filter((n) => keep.has(n.name));
}

/** The funnel of one cycle, as the scheduler recorded it: who was filtered out and why, who got how many points. */
function funnel(v: View, e: KubeEvent, d: Decision, told: number, b: Box): VNode {
  const all = d.nodes ?? [];
  const shown = tellNodes(d, all.length > ROWS ? ROWS - 1 : ROWS);
  const most = Math.max(1, ...all.map((n) => n.total ?? 0));
  const nameW = Math.min(104, Math.max(58, ...shown.map((n) => widthOf(n.name, v.size.small) + 14)));
  const left = b.x + 20;
  const x = left + nameW;
  const right = b.x + b.w - 14;
  const line = (i: number) => b.y + 54 + i * 23;
  const rows = shown.map((n, i) => {
    const y = line(i);
    const win = n.name === d.node && told >= 1;
    const name = text(
      left,
      y,
      `t-row ${win ? "t-strong" : ""} ${n.rejected ? "t-faint" : ""}`.trim(),
      cut(n.name, nameW - 6, v.size.small),
    );
    if (told < 0.2) return h("g", { key: `n ${n.name}` }, name);
    if (n.rejected) {
      const { plugin, reason } = n.rejected;
      const whole = `✕ ${plugin}: ${reason}`;
      const fits = widthOf(whole, v.size.small) <= right - x;
      return h(
        "g",
        { key: `n ${n.name}`, class: "rejected" },
        name,
        small(v, x, y, "t-bad", fits ? whole : `✕ ${reason}`, right - x),
      );
    }
    if (told < 0.6 || n.total === undefined) {
      const says = d.feasible === 1 ? word(v.lang, "onlyOne") : word(v.lang, "passedFilter");
      return h("g", { key: `n ${n.name}` }, name, small(v, x, y, "t-good", `✓ ${says}`, right - x));
    }
    const w = Math.max(4, ((right - 40 - x) * n.total) / most);
    return h(
      "g",
      { key: `n ${n.name}`, class: win ? "score won" : "score" },
      name,
      h("rect", { x, y: y - 11, width: w, height: 12, rx: 6, class: "bar" }),
      text(x + w + 6, y, "t-row t-good t-strong", String(n.total)),
    );
  });
  if (all.length > shown.length)
    rows.push(small(v, left, line(shown.length), "", word(v.lang, "moreOf", all.length - shown.length), b.w - 40));
  if (all.length === 0) {
    const reason = d.preFilter?.[0] ? `${d.preFilter[0].plugin}: ${d.preFilter[0].reason}` : (d.message ?? "");
    rows.push(small(v, left, line(0), d.result === "scheduled" ? "" : "t-bad", reason, b.w - 40));
  }
  const free = line(rows.length) <= b.y + b.h - 10;
  return h(
    "g",
    { class: "funnel" },
    rows,
    free ? small(v, right, b.y + b.h - 12, "t-faint", e.object?.name ?? "", b.w - 40, "end") : null,
  );
}
