// The kube-apiserver: a hall with its gates in order, and the watch bar.
import { duration, shortTime, word } from "../i18n/ui.ts";
import { codeWords } from "../i18n/words.ts";
import { actorOf } from "../model/actor.ts";
import { type Gate, type GateMark, gates, type Passage, passageOf } from "../model/gates.ts";
import { isRead } from "../model/lane.ts";
import { pluginsOf, stepsAt, tookSteps } from "../model/span.ts";
import type { KubeEvent } from "../wire/event.ts";
import { boot, dot, healthWords } from "./health.ts";
import { cut, widthOf } from "./measure.ts";
import { type Child, h, type VNode } from "./node.ts";
import { opener, part, rect, small, text, type View } from "./part.ts";
import type { Box } from "./way.ts";

export function hall(v: View): VNode {
  const { geometry: g, lang } = v;
  const b = g.hall;
  const e = v.inHall ? v.event(v.inHall.seq) : undefined;
  const span = e && v.span(e.seq);
  const passage = e ? passageOf(e, span) : null;
  const health = v.state.components.get("kube-apiserver");
  const level = g.toEtcd.length === 2 && g.toEtcd[0]!.y === g.toEtcd[1]!.y;
  const name = b.x + 36 + widthOf("kube-apiserver", v.size.title);
  const out: Child[] = [
    part(
      v,
      "kube-apiserver",
      `kube-apiserver, ${healthWords(v, health)}`,
      "hall",
      rect(b, "card hall-card", 14),
      dot(b.x + 20, b.y + 21, health),
      text(b.x + 34, b.y + 27, "t-title", "kube-apiserver"),
      boot(v, health, name + 18, b.y + 27, b.x + b.w - 44 - name - 18) ??
        small(v, b.x + b.w - 42, b.y + 27, "", word(lang, "onlyDoor"), b.x + b.w - 60 - name, "end"),
    ),
    opener("kube-apiserver", b.x + b.w - 22, b.y + 21, word(lang, "lookInto", "kube-apiserver")),
    h("path", { key: "door", class: "door", d: `M${g.door.x} ${g.rail - 13}v26`, "aria-hidden": "true" }),
    h("path", {
      key: "rail",
      class: "rail",
      d: `M${g.door.x} ${g.rail}H${level ? b.x + b.w : g.toEtcd[0]!.x}`,
      "aria-hidden": "true",
    }),
  ];
  gates.forEach((gate, i) => {
    out.push(gateBox(v, gate, g.gates[i]!, markNow(v, passage, i), e, span));
  });
  out.push(watchRow(v));
  return h("g", { key: "hall" }, out);
}

/** How a gate stands for the request in the hall, as far as that has come. */
export function markNow(v: View, passage: Passage | null, i: number): GateMark {
  if (!v.inHall || !passage) return "unreached";
  const reached = v.inHall.passed > i || (passage.refused && v.inHall.passed >= passage.reach && i === passage.reach);
  return reached ? passage.marks[gates[i]!] : "unreached";
}

function gateBox(v: View, gate: Gate, b: Box, mark: GateMark, e?: KubeEvent, span?: KubeEvent): VNode {
  const long = word(v.lang, gate);
  const short = gate === "storage" ? long : word(v.lang, `${gate}Short`);
  const name = widthOf(long, v.size.small) > b.w - 6 ? short : long;
  const [says, shortly = says] = e ? gateSays(v, gate, mark, e, span) : [""];
  const steps = mark === "unreached" ? [] : stepsAt(span, gate);
  const took = steps.length > 0 ? tookSteps(steps) : null;
  const fits = widthOf(says, v.size.small) <= b.w - 6;
  const cx = b.x + b.w / 2;
  return part(
    v,
    gate,
    says ? `${long}: ${took === null ? says : `${says}, ${duration(v.lang, took)}`}` : long,
    `gate gate-${gate} is-${mark}`,
    rect(b, "gate-box", 8),
    text(cx, b.y + (took === null ? 29 : 21), "t-gate", cut(name, b.w - 6, v.size.small), "middle"),
    says ? small(v, cx, b.y + (took === null ? 53 : 42), "", fits ? says : shortly, b.w - 6, "middle") : null,
    took === null ? null : small(v, cx, b.y + 62, "t-faint", shortTime(took), b.w - 6, "middle"),
  );
}

/** What a gate says, and what it says where there is little room. */
function gateSays(v: View, gate: Gate, mark: GateMark, e: KubeEvent, span?: KubeEvent): [string, string?] {
  switch (mark) {
    case "unreached":
      return [""];
    case "unknown":
      return ["?"];
    case "skipped":
      return [word(v.lang, "skipped"), "–"];
    case "refused":
      return [`✕ ${codeWords(e.code ?? 0)}`, `✕ ${e.code ?? ""}`];
  }
  if (gate === "authn") return [shortActor(e.from)];
  if (gate === "authz") {
    const reason = String(e.detail?.reason ?? "");
    return [`${/^RBAC/.test(reason) ? "RBAC" : word(v.lang, "allowed")} ✓`];
  }
  if (gate === "admission") {
    const plugins = new Set(stepsAt(span, gate).flatMap((s) => pluginsOf(s).map((p) => p.plugin)));
    if (plugins.size > 0)
      return [
        word(v.lang, plugins.size === 1 ? "plugin" : "plugins", plugins.size),
        word(v.lang, "pluginsShort", plugins.size),
      ];
  }
  if (gate === "storage" && isRead(e)) return [word(v.lang, "readOnly")];
  if (gate === "storage" && e.revision) return [`rev ${e.revision}`, e.revision];
  return [word(v.lang, "passed")];
}

/** Who it is, in the space of a gate. */
function shortActor(id: string): string {
  const a = actorOf(id);
  return a.node ?? a.name.replace(/-controller$/, "");
}

function watchRow(v: View): VNode {
  const { geometry: g, state: s, lang } = v;
  const y = g.watchBar.y - 10;
  const resource = v.event(v.focus)?.object?.resource ?? "pods";
  const shown = s.watchers.has(resource) ? resource : "pods";
  const who = s.watchers.get(shown);
  const label = word(lang, "watch");
  const heard = who ? watchersWords(v, who) : "";
  const says = heard ? `${shown} · ${word(lang, "watching")} ${heard}` : word(lang, "nobodyWatches");
  const x = g.watchBar.x1 + widthOf(label, v.size.small) + 14;
  return part(
    v,
    "watch",
    `${label}: ${says}`,
    "watch-row",
    h("rect", {
      x: g.watchBar.x1 - 6,
      y: y - 16,
      width: g.watchBar.x2 - g.watchBar.x1 + 6,
      height: 31,
      rx: 8,
      class: "hit",
    }),
    text(g.watchBar.x1, y, "t-watch", label),
    small(v, x, y, "", says, g.watchBar.x2 - x - 6),
    h("path", { class: "watch-bar", d: `M${g.watchBar.x1} ${g.watchBar.y}H${g.watchBar.x2}` }),
  );
}

function watchersWords(v: View, who: ReadonlySet<string>): string {
  let kubelets = 0;
  const controllers = new Set<string>();
  const rest = new Set<string>();
  for (const id of who) {
    const a = actorOf(id);
    if (a.role === "kubelet") kubelets++;
    else if (a.role === "controllers") controllers.add(a.name);
    else if (a.role === "scheduler") rest.add(word(v.lang, "schedulerShort"));
    else if (a.role !== "apiserver") rest.add(a.role === "person" ? "kubectl" : a.name);
  }
  const out = [...rest];
  if (controllers.size) out.push(word(v.lang, "controllersShort"));
  if (kubelets) out.push(`${word(v.lang, "kubelets")} ${kubelets}`);
  return out.join(" · ");
}
