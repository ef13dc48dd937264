// Inside the kube-apiserver: the steps of the request at the playhead, in
// order, as long as they took, with what each of them found.
import { shortTime, word } from "../../i18n/ui.ts";
import { codeWords, stepName, tokenName } from "../../i18n/words.ts";
import { type Gate, gates, passageOf } from "../../model/gates.ts";
import { gateOfStep, type Plugin, pluginsOf, type Step, stepsOf } from "../../model/span.ts";
import type { KubeEvent } from "../../wire/event.ts";
import { markNow } from "../hall.ts";
import { h, type VNode } from "../node.ts";
import { small, text, type View } from "../part.ts";
import { type Column, row, type Sheet } from "./sheet.ts";

interface Line {
  name: string;
  step?: Step;
  says: string;
  cls?: string;
}

export function apiserver(sheet: Sheet): VNode[] {
  const { v, b, wide } = sheet;
  const e = v.inHall ? v.event(v.inHall.seq) : undefined;
  if (!e) return [small(v, b.x, b.y + 24, "", word(v.lang, "nothingThere"), b.w)];
  const span = v.span(e.seq);
  const passage = passageOf(e, span);
  const lines = span ? fromSpan(v, span) : fromAudit(v, e);
  const top = b.y + (wide ? 58 : 82);
  const height = wide ? Math.min(38, Math.max(27, (b.y + b.h - top) / lines.length)) : 48;
  const room = Math.floor((b.y + b.h - top - 8) / height);
  const whole = Math.max(1, ...stepsOf(span).map((s) => s.end));
  const columns: Column[] = wide
    ? [
        { x: 0, w: 176 },
        { x: 184 + 220, w: 76, end: true },
        { x: 496, w: b.w - 496 },
      ]
    : [
        { x: 0, w: b.w - 90 },
        { x: b.w - 84, w: 84, end: true },
        { x: 8, w: b.w - 8, dy: 21 },
      ];
  const shown = lines.slice(0, lines.length > room ? room - 1 : room);
  const out: VNode[] = title(sheet, e);
  shown.forEach((l, i) => {
    const y = top + i * height;
    const gate = l.step ? gateOfStep(l.step) : null;
    const index = gates.indexOf(gate as Gate);
    const ahead = index >= 0 && markNow(v, passage, index) === "unreached";
    const took = l.step ? shortTime((l.step.end - l.step.start) / 1e6) : "";
    out.push(
      row(
        sheet,
        y,
        { key: `step ${i}`, height, cls: [l.cls, ahead && "ahead"].filter(Boolean).join(" ") },
        columns,
        [
          { s: l.name, cls: l.step ? "t-ink t-strong" : "" },
          took,
          { s: l.says, cls: l.cls === "turned" ? "t-bad" : "t-ink" },
        ],
        l.step && wide ? bar(l.step, whole, b.x + 184, y + 9, 220) : null,
      ),
    );
  });
  if (shown.length < lines.length)
    out.push(
      small(v, b.x, top + shown.length * height + 19, "", word(v.lang, "moreOf", lines.length - shown.length), b.w),
    );
  return out;
}

function title({ v, b, wide }: Sheet, e: KubeEvent): VNode[] {
  const what = `${e.verb} ${e.object ? tokenName(e.object) : ""}${e.object?.subresource ? `/${e.object.subresource}` : ""}`;
  const code = e.code ? codeWords(e.code) : "";
  const bad = (e.code ?? 0) >= 400;
  return [
    text(b.x, b.y + 24, "t-head", what),
    small(v, b.x, b.y + 44, "", String(e.detail?.uri ?? ""), wide ? b.w - 330 : b.w),
    wide
      ? small(v, b.x + b.w, b.y + 24, bad ? "t-bad t-strong" : "t-good t-strong", code, 200, "end")
      : small(v, b.x, b.y + 64, bad ? "t-bad t-strong" : "t-good t-strong", code, b.w),
    ...(wide ? [small(v, b.x + b.w, b.y + 44, "", e.from, 320, "end")] : []),
  ];
}

function bar(s: Step, whole: number, x: number, y: number, w: number): VNode {
  const left = (s.start / whole) * w;
  return h("rect", {
    x: x + Math.min(left, w - 3),
    y,
    width: Math.max(3, ((s.end - s.start) / whole) * w),
    height: 12,
    rx: 3,
    class: `step-bar ${s.refused ? "turned" : s.source === "otel" ? "own" : "ours"}`,
  });
}

function fromSpan(v: View, span: KubeEvent): Line[] {
  const out: Line[] = [];
  for (const s of stepsOf(span)) {
    out.push({ name: stepName(v.lang, s.step), step: s, says: says(v, s), cls: s.refused ? "turned" : "" });
    const plugins = pluginsOf(s);
    for (const p of plugins) {
      if (p.refused || p.changed?.length)
        out.push({ name: "", says: pluginSays(v, p), cls: p.refused ? "turned" : "" });
    }
    const rule = s.attributes?.rule as { verbs?: string[]; resources?: string[]; apiGroups?: string[] } | undefined;
    if (rule)
      out.push({
        name: "",
        says: word(v.lang, "ruleSays", `${(rule.verbs ?? []).join(", ")} ${(rule.resources ?? []).join(", ")}`),
      });
  }
  return out;
}

function pluginSays(v: View, p: Plugin): string {
  if (p.refused) return `✕ ${p.plugin}: ${p.refused}`;
  return `${p.plugin} · ${word(v.lang, "changedFields", (p.changed ?? []).join(", "))}`;
}

function says(v: View, s: Step): string {
  const a = s.attributes ?? {};
  const list = (...keys: string[]) =>
    keys
      .map((k) => named(a[k]))
      .filter(Boolean)
      .join(" · ");
  switch (s.step) {
    case "authentication":
      return list("user", "method");
    case "authorization": {
      const by = [a.binding, a.role].map(named).filter(Boolean).join(" → ");
      return [named(a.decision), named(a.authorizer), by || named(a.reason)].filter(Boolean).join(" · ");
    }
    case "priorityandfairness":
      return list("flowSchema", "priorityLevel");
    case "mutating":
    case "validating": {
      const all = pluginsOf(s);
      const acted = all.filter((p) => p.changed?.length || p.refused).length;
      return `${word(v.lang, all.length === 1 ? "plugin" : "plugins", all.length)}${acted < all.length ? ` · ${word(v.lang, "letPass", all.length - acted)}` : ""}`;
    }
    case "etcd":
      return list("call", "op", "key", "message") + (a.revision ? ` · rev ${named(a.revision)}` : "");
    case "audit":
      return list("level");
    case "impersonation":
      return list("as");
    default:
      return list("op", "key");
  }
}

/** An attribute in words: a name, or what is named in it. */
function named(x: unknown): string {
  if (x === null || x === undefined) return "";
  if (typeof x !== "object") return String(x);
  const o = x as { kind?: string; namespace?: string; name?: string };
  return o.name ? `${o.kind ? `${o.kind} ` : ""}${o.namespace ? `${o.namespace}/` : ""}${o.name}` : JSON.stringify(x);
}

/** Without a span: what the audit log says, and what follows from the answer. */
function fromAudit(v: View, e: KubeEvent): Line[] {
  const passage = passageOf(e);
  const out: Line[] = gates.map((g): Line => {
    const mark = passage.marks[g];
    if (mark === "unreached") return { name: word(v.lang, g), says: "", cls: "ahead" };
    if (mark === "refused")
      return { name: word(v.lang, g), says: `✕ ${String(e.detail?.message ?? e.detail?.reason ?? "")}`, cls: "turned" };
    if (mark === "skipped") return { name: word(v.lang, g), says: word(v.lang, "skipped") };
    if (g === "authn") return { name: word(v.lang, g), says: e.from };
    if (g === "authz" && e.detail?.reason) return { name: word(v.lang, g), says: String(e.detail.reason) };
    return { name: word(v.lang, g), says: mark === "unknown" ? "?" : word(v.lang, "impliedByAnswer") };
  });
  out.push({ name: "", says: word(v.lang, e.evidence.how === "inferred" ? "inferredRequest" : "noSpan") });
  return out;
}
