// The picture behind the tokens: a pure function of the state at the playhead
// and of what the viewer looks at. Every box that can be asked about carries
// data-part; what is chosen or lit by a word of the text carries a class.
import type { Lang, Selection } from "../app.ts";
import { duration, type Word, word } from "../i18n/ui.ts";
import { codeWords } from "../i18n/words.ts";
import { actorOf } from "../model/actor.ts";
import type { Decision } from "../model/decision.ts";
import { type Gate, type GateMark, gates, passageOf } from "../model/gates.ts";
import { isRead, type Quiet, quietLanes } from "../model/lane.ts";
import type { PodPhase } from "../model/pod.ts";
import { pluginsOf, stepsAt, tookSteps } from "../model/span.ts";
import {
  CHIPS,
  type ClusterState,
  type ComponentView,
  type LinkView,
  type NodeView,
  type PlacedPod,
} from "../model/state.ts";
import type { KubeEvent } from "../wire/event.ts";
import {
  type Box,
  type Geometry,
  NODES,
  type NodeBox,
  type Point,
  pathData,
  shorten,
  tileAt,
  tileGrid,
  Way,
  widthOf,
} from "./geometry.ts";
import { type Child, h, type VNode } from "./node.ts";
import { personPlace } from "./tokens.ts";

export interface View {
  lang: Lang;
  geometry: Geometry;
  state: ClusterState;
  event(seq: number): KubeEvent | undefined;
  /** What a request went through inside the kube-apiserver, if that is known. */
  span(seq: number): KubeEvent | undefined;
  /** The step at the playhead: its last event, and the first event of its story. */
  focus: number;
  storyRoot: number;
  /** The request in the hall, and how many of its gates lie behind it. */
  inHall: { seq: number; passed: number } | null;
  /** The scheduling cycle to show: how much of it has been told, 0 to 1. */
  cycle: { seq: number; told: number } | null;
  selection: Selection | null;
  lit: string | null;
}

export function text(x: number, y: number, cls: string, s: string, anchor?: "middle" | "end"): VNode {
  return h("text", { x, y, class: cls, "text-anchor": anchor }, s);
}

function rect(b: Box, cls: string, r = 10): VNode {
  return h("rect", { x: b.x, y: b.y, width: b.w, height: b.h, rx: r, class: cls });
}

/** Sizes of the picture's texts, as the style sheet has them. */
const SMALL = 15;
const TINY = 13.5;
const MONO = 14.5;

function cut(s: string, width: number, size: number, mono = false): string {
  let out = s;
  while (out.length > 2 && widthOf(out, size, mono) > width) out = shorten(s, out.length - 1);
  return out;
}

/** A box of the picture that can be asked about. */
function part(v: View, id: string, label: string, classes: string, ...children: (Child | Child[])[]): VNode {
  const chosen = v.selection?.type === "part" && v.selection.id === id;
  const cls = ["part", classes, chosen && "chosen", isLit(v, id) && "lit"].filter(Boolean).join(" ");
  return h(
    "g",
    { key: id, class: cls, "data-part": id, role: "button", tabindex: 0, "aria-label": label },
    ...children,
  );
}

function isLit(v: View, id: string): boolean {
  if (!v.lit) return false;
  if (v.lit === id) return true;
  if (v.lit === "nodes" || v.lit === "node") return id.startsWith("node:");
  if (v.lit === "kubelet") return id.startsWith("kubelet:");
  if (v.lit === "runtime") return id.startsWith("runtime:");
  if (v.lit === "watch") return id === "watch";
  return false;
}

export function picture(v: View): VNode[] {
  return [
    lines(v),
    clients(v),
    hall(v),
    ledger(v),
    controllers(v),
    scheduler(v),
    v.state.cloud ? cloud(v) : null,
    quietLane(v),
    ...nodes(v),
  ].filter((n): n is VNode => n !== null);
}

/* Lines: in the gutters, under everything. */

function lines(v: View): VNode {
  const { geometry: g, state: s } = v;
  const ask: VNode[] = [];
  const tell: VNode[] = [];
  const broken: VNode[] = [];
  const line = (to: VNode[], key: string, points: readonly Point[], cls: string, link: string) => {
    const l = s.links.get(link);
    to.push(h("path", { key, d: pathData(points), class: l ? `${cls} is-${l.state}` : cls }));
    if (l && to !== tell) broken.push(linkMark(l.state, nearClient(points), l.name));
  };
  const places = [
    "person",
    s.clients.has("kubestage") && "kubestage",
    others(s).length > 0 && "others",
    "controllers",
    "scheduler",
    s.cloud && "cloud",
  ];
  for (const p of places) {
    if (!p) continue;
    const link = linkOfPlace[p] ?? p;
    line(ask, `ask ${p}`, g.toDoor(p, -1), "line line-ask", link);
    if (!["person", "kubestage", "others"].includes(p))
      line(tell, `tell ${p}`, g.fromWatch(p, -1), "line line-tell", link);
  }
  const count = Math.min(NODES, s.nodes.size);
  const names = new Map([...s.nodes.values()].map((n) => [n.slot, n.name]));
  for (let i = 0; i < count; i++) {
    const link = `kubelet:${names.get(i)}`;
    line(ask, `ask node ${i}`, g.toDoor("node", i), "line line-ask", link);
    line(tell, `tell node ${i}`, g.fromWatch("node", i), "line line-tell", link);
  }
  const [a, ...rest] = g.toEtcd;
  const edge =
    rest.length === 1 && a!.y === rest[0]!.y
      ? [{ x: g.hall.x + g.hall.w, y: a!.y }, ...rest]
      : [{ x: a!.x, y: g.hall.y + g.hall.h }, ...rest];
  const store: VNode[] = [];
  line(store, "etcd", edge, "line line-etcd", "etcd");
  return h("g", { key: "lines", class: "lines", "aria-hidden": "true" }, ask, tell, store, broken);
}

/** Links are named after their clients, places after what they are in the picture. */
const linkOfPlace: Record<string, string> = {
  person: "kubectl",
  controllers: "kube-controller-manager",
  scheduler: "kube-scheduler",
  cloud: "cloud-controller-manager",
};

/** Further on, many links share one line. */
function nearClient(points: readonly Point[]): Point {
  const way = new Way(points);
  return way.at(Math.min(0.5, 24 / way.length));
}

/** A break in the line, or a clock for what comes late. */
export function linkMark(state: LinkView["state"], { x, y }: Point, name = ""): VNode {
  return h(
    "g",
    { key: `link ${name}`, class: `link-mark is-${state}` },
    h("circle", { cx: x, cy: y, r: 11 }),
    h("path", { d: state === "cut" ? `M${x - 4} ${y - 4}l8 8m0 -8l-8 8` : `M${x} ${y - 6}v6h4` }),
  );
}

function linkWords(v: View, name: string): string {
  const l = v.state.links.get(name);
  if (!l) return "";
  return l.state === "cut" ? word(v.lang, "cut") : word(v.lang, "delayed", Math.round(l.delay * 1000));
}

/* Clients */

function others(s: ClusterState): string[] {
  return [...s.clients.values()]
    .filter((c) => c.id !== "kubestage" && personPlace(s, c.id) === "others")
    .map((c) => c.id);
}

function program(agent: string): string {
  const p = agent.split(/[/\s]/)[0] ?? "";
  return p === "" || p === "dashboard" ? "kubectl" : p;
}

function clients(v: View): VNode {
  const { geometry: g, state: s } = v;
  const first = [...s.clients.values()].find(
    (c) => actorOf(c.id).role === "person" && personPlace(s, c.id) === "person",
  );
  const name = first ? program(first.agent) : "kubectl";
  const who = first?.id ?? "kubernetes-admin";
  const b = g.person;
  const from = v.event(v.focus)?.from ?? "";
  const now = (place: string) =>
    actorOf(from).role === "person" || from === "kubestage"
      ? place === (from === "kubestage" ? "kubestage" : personPlace(s, from))
        ? "now"
        : ""
      : "";
  const cx = b.x + b.w / 2;
  const out: VNode[] = [
    part(
      v,
      "kubectl",
      [name, who, linkWords(v, "kubectl")].filter(Boolean).join(", "),
      `client ${now("person")}`,
      rect(b, "card"),
      text(cx, b.y + b.h / 2 - 2, "t-title", cut(name, b.w - 20, 20), "middle"),
      text(cx, b.y + b.h / 2 + 22, "t-small", cut(who, b.w - 16, SMALL), "middle"),
    ),
  ];
  if (s.clients.has("kubestage")) {
    const k = g.kubestage;
    out.push(
      part(
        v,
        "kubestage",
        "Kubestage",
        `client minor ${now("kubestage")}`,
        rect(k, "card"),
        text(k.x + k.w / 2, k.y + k.h / 2 + 5, "t-body", "kubestage", "middle"),
      ),
    );
  }
  const rest = others(s);
  if (rest.length > 0) {
    const k = g.others;
    const last = rest[rest.length - 1]!;
    const label = rest.length === 1 ? actorOf(last).name : `${actorOf(last).name} +${rest.length - 1}`;
    out.push(
      part(
        v,
        "others",
        rest.join(", "),
        `client minor ${now("others")}`,
        rect(k, "card"),
        text(k.x + k.w / 2, k.y + k.h / 2 + 5, "t-body", cut(label, k.w - 16, 15), "middle"),
      ),
    );
  }
  return h("g", { key: "clients" }, out);
}

/* The hall */

function hall(v: View): VNode {
  const { geometry: g, lang } = v;
  const b = g.hall;
  const e = v.inHall ? v.event(v.inHall.seq) : undefined;
  const span = e && v.span(e.seq);
  const passage = e ? passageOf(e, span) : null;
  const health = v.state.components.get("kube-apiserver");
  const out: Child[] = [
    part(
      v,
      "kube-apiserver",
      `kube-apiserver, ${healthWords(v, health)}`,
      "hall",
      rect(b, "card hall-card", 14),
      dot(b.x + 24, b.y + 28, health),
      text(b.x + 40, b.y + 35, "t-title", "kube-apiserver"),
      boot(v, health, b.x + 40 + widthOf("kube-apiserver", 20) + 18, b.y + 34) ??
        text(b.x + b.w - 22, b.y + 34, "t-small", word(lang, "onlyDoor"), "end"),
    ),
    h("path", { key: "door", class: "door", d: `M${g.door.x} ${g.rail - 15}v30`, "aria-hidden": "true" }),
    h("path", {
      key: "rail",
      class: "rail",
      d: `M${g.door.x} ${g.rail}H${g.toEtcd.length === 2 && g.toEtcd[0]!.y === g.toEtcd[1]!.y ? b.x + b.w : g.toEtcd[0]!.x}`,
      "aria-hidden": "true",
    }),
  ];
  gates.forEach((gate, i) => {
    const reached =
      v.inHall && passage
        ? v.inHall.passed > i || (passage.refused && v.inHall.passed >= passage.reach && i === passage.reach)
        : false;
    const mark: GateMark = passage && reached ? passage.marks[gate] : "unreached";
    out.push(gateBox(v, gate, g.gates[i]!, mark, e, span));
  });
  out.push(watchRow(v));
  return h("g", { key: "hall" }, out);
}

function gateBox(v: View, gate: Gate, b: Box, mark: GateMark, e?: KubeEvent, span?: KubeEvent): VNode {
  const name = word(
    v.lang,
    v.geometry.shape === "tall" && (gate === "authn" || gate === "authz") ? `${gate}Short` : gate,
  );
  const says = e ? gateSays(v, gate, mark, e, span) : "";
  const steps = mark === "unreached" ? [] : stepsAt(span, gate);
  const took = steps.length > 0 ? duration(v.lang, tookSteps(steps)) : "";
  return part(
    v,
    gate,
    says ? `${name}: ${[says, took].filter(Boolean).join(", ")}` : name,
    `gate gate-${gate} is-${mark}`,
    rect(b, "gate-box", 8),
    text(b.x + b.w / 2, b.y + (took ? 25 : 32), "t-gate", cut(name, b.w - 8, 15), "middle"),
    says ? text(b.x + b.w / 2, b.y + (took ? 46 : 55), "t-small", cut(says, b.w - 8, SMALL), "middle") : null,
    took ? text(b.x + b.w / 2, b.y + 65, "t-tiny", took, "middle") : null,
  );
}

function gateSays(v: View, gate: Gate, mark: GateMark, e: KubeEvent, span?: KubeEvent): string {
  switch (mark) {
    case "unreached":
      return "";
    case "unknown":
      return "?";
    case "skipped":
      return word(v.lang, "skipped");
    case "refused":
      return `✕ ${codeWords(e.code ?? 0)}`;
  }
  if (gate === "authn") return shortActor(e.from);
  if (gate === "authz") {
    const reason = String(e.detail?.reason ?? "");
    return `${/^RBAC/.test(reason) ? "RBAC" : word(v.lang, "allowed")} ✓`;
  }
  if (gate === "admission") {
    const plugins = new Set(stepsAt(span, gate).flatMap((s) => pluginsOf(s).map((p) => p.plugin)));
    if (plugins.size > 0) return word(v.lang, plugins.size === 1 ? "plugin" : "plugins", plugins.size);
  }
  if (gate === "storage")
    return isRead(e) ? word(v.lang, "readOnly") : e.revision ? `rev ${e.revision}` : word(v.lang, "passed");
  return word(v.lang, "passed");
}

/** Who it is, in the space of a gate. */
function shortActor(id: string): string {
  const a = actorOf(id);
  return a.node ?? a.name.replace(/-controller$/, "");
}

function watchRow(v: View): VNode {
  const { geometry: g, state: s, lang } = v;
  const y = g.watchBar.y - 13;
  const resource = v.event(v.focus)?.object?.resource ?? "pods";
  const shown = s.watchers.has(resource) ? resource : "pods";
  const who = s.watchers.get(shown);
  const label = word(lang, "watch");
  const heard = who ? watchersWords(v, who) : "";
  const says = heard ? `${shown} · ${word(lang, "watching")} ${heard}` : word(lang, "nobodyWatches");
  const x = g.watchBar.x1 + widthOf(label, 15) + 16;
  return part(
    v,
    "watch",
    `${label}: ${says}`,
    "watch-row",
    h("rect", {
      x: g.watchBar.x1 - 6,
      y: y - 19,
      width: g.watchBar.x2 - g.watchBar.x1 + 12,
      height: 38,
      rx: 8,
      class: "hit",
    }),
    text(g.watchBar.x1, y, "t-watch", label),
    text(x, y, "t-small", cut(says, g.watchBar.x2 - x, SMALL)),
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

/* etcd */

function ledger(v: View): VNode {
  const { geometry: g, state: s, lang } = v;
  const b = g.etcd;
  const health = s.components.get("etcd");
  const row = 32;
  const top = b.y + 52;
  const fit = Math.floor((b.h - 60) / row);
  const focus = v.event(v.focus);
  const rows = s.ledger.slice(0, fit).map((l, i) => {
    const y = top + i * row;
    const several = l.count > 1;
    const revision = several ? `${l.oldest.revision}–${l.revision}` : l.revision;
    const w = widthOf(revision, MONO, true) + 14;
    const key = several ? word(lang, "quietWrites", l.count) : l.key.replace(/^\/registry\//, "");
    const now = focus?.kind === "etcd" && l.seq === v.focus;
    const struck = l.verb === "delete" && !several;
    return h(
      "g",
      // A run of quiet writes grows at its newer end: its place is that of its oldest line.
      {
        key: `rev ${l.oldest.seq}`,
        class: `row ${now ? "now" : ""} ${l.quiet ? "faint" : ""}`.trim(),
        "data-seq": l.seq,
      },
      h("rect", { x: b.x + 10, y, width: b.w - 20, height: row - 3, rx: 6, class: "row-box" }),
      text(b.x + 20, y + 20, "t-mono t-rev", revision),
      text(
        b.x + 20 + w,
        y + 20,
        several ? "t-small" : struck ? "t-mono t-struck" : "t-mono",
        cut(key, b.w - 40 - w, MONO, !several),
      ),
    );
  });
  return part(
    v,
    "etcd",
    `etcd, ${healthWords(v, health)}, ${word(lang, "revision")} ${s.revision || "0"}`,
    `etcd ${focus?.kind === "etcd" ? "now" : ""}`.trim(),
    rect(b, "card etcd-card", 14),
    dot(b.x + 22, b.y + 28, health),
    text(b.x + 38, b.y + 35, "t-title", "etcd"),
    s.revision && !troubled(v, health)
      ? text(b.x + b.w - 20, b.y + 35, "t-title t-good", `${word(lang, "revision")} ${s.revision}`, "end")
      : (boot(v, health, b.x + 100, b.y + 34) ?? null),
    rows.length ? rows : text(b.x + 20, top + 22, "t-small", word(lang, "emptyLedger")),
  );
}

/* Components */

function healthWords(v: View, c: ComponentView | undefined): string {
  if (!c) return "";
  let says = c.health === "unknown" ? "" : word(v.lang, c.health as Word);
  if (c.health === "backoff") says = `${word(v.lang, "backoff")} ${c.wait} ${word(v.lang, "seconds")}`;
  return [says, linkWords(v, c.name)].filter(Boolean).join(", ");
}

/** What keeps it from its work: that it does not run, or that nothing reaches it. */
function troubled(v: View, c: ComponentView | undefined): boolean {
  return (
    c !== undefined && (["exited", "backoff", "stopped", "frozen"].includes(c.health) || v.state.links.has(c.name))
  );
}

function dot(x: number, y: number, c: ComponentView | undefined): VNode {
  const health = c?.health ?? "unknown";
  const cls = `health health-${health}`;
  if (health === "ready") return h("circle", { cx: x, cy: y, r: 5, class: cls });
  if (health === "frozen") return h("path", { d: `M${x - 3} ${y - 5}v10m6 -10v10`, class: cls });
  if (health === "exited" || health === "backoff")
    return h("path", { d: `M${x - 5} ${y - 5}l10 10m0 -10l-10 10`, class: cls });
  return h("circle", { cx: x, cy: y, r: 5, class: cls });
}

/** What a component says while it is not simply ready. */
function boot(v: View, c: ComponentView | undefined, x: number, y: number, width = 300): VNode | null {
  if (!c || c.health === "unknown" || (c.health === "ready" && !v.state.links.has(c.name))) return null;
  const bad = troubled(v, c);
  let says = healthWords(v, c);
  if (c.health === "exited" && c.exit) says += `: ${c.exit}`;
  return text(x, y, bad ? "t-small t-bad" : "t-small t-accent", cut(says, width, SMALL));
}

function controllers(v: View): VNode {
  const { geometry: g, state: s, lang } = v;
  const b = g.controllers;
  const health = s.components.get("kube-controller-manager");
  const actor = actorOf(v.event(v.focus)?.from ?? "");
  const now = actor.role === "controllers";
  const columns = 3;
  const shown = CHIPS;
  const gap = 8;
  const w = (b.w - 32 - gap * (columns - 1)) / columns;
  const chips = [...s.controllers.values()]
    .filter((c) => c.slot >= 0 && c.slot < shown)
    .map((c) => {
      const x = b.x + 16 + (c.slot % columns) * (w + gap);
      const y = b.y + 50 + Math.floor(c.slot / columns) * 35;
      const state = now && actor.name === c.name ? "now" : c.seq >= v.storyRoot ? "awake" : "";
      const short = c.name.replace(/-controller$/, "");
      return part(
        v,
        c.name,
        c.name,
        `unit ${state}`,
        rect({ x, y, w, h: 29 }, "unit-box", 14),
        text(x + w / 2, y + 20, "t-unit", cut(short, w - 12, 15), "middle"),
      );
    });
  const hidden = s.accounts.size - chips.length;
  return h(
    "g",
    { key: "controllers" },
    part(
      v,
      "kube-controller-manager",
      `kube-controller-manager, ${healthWords(v, health)}`,
      `${now ? "now" : ""}`,
      rect(b, "card", 14),
      dot(b.x + 22, b.y + 27, health),
      text(b.x + 38, b.y + 34, "t-head", "kube-controller-manager"),
      (chips.length
        ? boot(
            v,
            health,
            b.x + 52 + widthOf("kube-controller-manager", 18),
            b.y + 33,
            b.w - 76 - widthOf("kube-controller-manager", 18),
          )
        : boot(v, health, b.x + 38, b.y + 62)) ??
        (chips.length ? null : text(b.x + 38, b.y + 66, "t-small", word(lang, "idleControllers"))),
      hidden > 0 && !troubled(v, health)
        ? text(b.x + b.w - 18, b.y + 33, "t-small", `+${hidden} ${word(lang, "others")}`, "end")
        : null,
    ),
    chips,
  );
}

function scheduler(v: View): VNode {
  const { geometry: g, state: s, lang } = v;
  const b = g.scheduler;
  const health = s.components.get("kube-scheduler");
  const e = v.cycle ? v.event(v.cycle.seq) : undefined;
  const focus = v.event(v.focus);
  const now = (v.cycle && v.cycle.told < 1) || actorOf(focus?.from ?? "").role === "scheduler";
  const waiting = [...s.pods.values()].filter((p) => p.node === "");
  const narrow = b.w < 360;
  const said = boot(v, health, b.x + 38, b.y + 62);
  const d = (e?.detail ?? {}) as Decision;
  const told = v.cycle?.told ?? 1;
  const verdict = !e
    ? ""
    : told < 0.45
      ? word(lang, "filtering")
      : told < 1
        ? d.feasible === 1
          ? word(lang, "filtering")
          : word(lang, "scoring")
        : d.result === "scheduled"
          ? `${word(lang, "chose")} ${d.node}`
          : word(lang, d.result === "error" ? "failed" : "found");
  const children: Child[] = [
    part(
      v,
      "kube-scheduler",
      `kube-scheduler, ${healthWords(v, health)} ${verdict}`,
      `scheduler ${now ? "now" : ""}`,
      rect(b, "card", 14),
      dot(b.x + 22, b.y + 27, health),
      text(b.x + 38, b.y + 34, "t-head", "kube-scheduler"),
      verdict && !narrow && !said
        ? text(
            b.x + b.w - 50,
            b.y + 34,
            `t-small ${told < 1 ? "t-accent" : d.result === "scheduled" ? "t-good" : "t-bad"}`,
            cut(verdict, 160, SMALL),
            "end",
          )
        : null,
      said,
      !said && !e ? text(b.x + 38, b.y + 66, "t-small", cut(word(lang, "noDecision"), b.w - 50, SMALL)) : null,
      e && !said ? funnel(v, e, d, told, b) : null,
    ),
  ];
  const wx = b.x + 38 + widthOf("kube-scheduler", 18) + 22;
  const room = narrow ? 1 : 5;
  const many = waiting.length > room ? room - 1 : waiting.length;
  for (const [i, p] of waiting.slice(0, many).entries()) {
    children.push(podTile(v, p, { x: wx + i * 26, y: b.y + 16, w: 22, h: 22 }, "tiny"));
  }
  if (waiting.length > many) children.push(text(wx + many * 26 + 2, b.y + 33, "t-small", `+${waiting.length - many}`));
  return h("g", { key: "scheduler" }, children);
}

/** The funnel of one cycle, as the scheduler recorded it: who was filtered out and why, who got how many points. */
function funnel(v: View, e: KubeEvent, d: Decision, told: number, b: Box): VNode {
  const all = d.nodes ?? [];
  const room = b.w < 360 ? 3 : 4;
  const chosen = all.filter((n) => n.name === d.node);
  const ranked = [...chosen, ...all.filter((n) => n.name !== d.node).sort((x, y) => (y.total ?? -1) - (x.total ?? -1))];
  const keep = new Set((all.length > room ? ranked.slice(0, room - 1) : ranked).map((n) => n.name));
  const shown = all.filter((n) => keep.has(n.name));
  const most = Math.max(1, ...all.map((n) => n.total ?? 0));
  const nameW = Math.min(110, Math.max(56, ...shown.map((n) => widthOf(n.name, 15) + 12)));
  const rows = shown.map((n, i) => {
    const y = b.y + 68 + i * 25;
    const x = b.x + 38 + nameW;
    const win = n.name === d.node && told >= 1;
    const name = text(
      b.x + 38,
      y,
      `t-row ${win ? "t-strong" : ""} ${n.rejected ? "t-faint" : ""}`.trim(),
      cut(n.name, nameW - 8, 15),
    );
    if (told < 0.2) return h("g", { key: `n ${n.name}` }, name);
    if (n.rejected) {
      const why = `✕ ${n.rejected.plugin}: ${n.rejected.reason}`;
      return h(
        "g",
        { key: `n ${n.name}`, class: "rejected" },
        name,
        text(x, y, "t-small t-bad", cut(why, b.x + b.w - 20 - x, SMALL)),
      );
    }
    if (told < 0.6 || n.total === undefined) {
      const says = d.feasible === 1 ? word(v.lang, "onlyOne") : word(v.lang, "passedFilter");
      return h(
        "g",
        { key: `n ${n.name}` },
        name,
        text(x, y, "t-small t-good", cut(`✓ ${says}`, b.x + b.w - 20 - x, SMALL)),
      );
    }
    const span = b.x + b.w - 64 - x;
    const w = Math.max(4, (span * n.total) / most);
    return h(
      "g",
      { key: `n ${n.name}`, class: win ? "score won" : "score" },
      name,
      h("rect", { x, y: y - 12, width: w, height: 13, rx: 6, class: "bar" }),
      text(x + w + 8, y, "t-row t-good t-strong", String(n.total)),
    );
  });
  if (all.length > shown.length)
    rows.push(text(b.x + 38, b.y + 68 + shown.length * 25, "t-small", `+${all.length - shown.length}`));
  if (all.length === 0) {
    const reason = d.preFilter?.[0] ? `${d.preFilter[0].plugin}: ${d.preFilter[0].reason}` : (d.message ?? "");
    rows.push(
      text(b.x + 38, b.y + 68, d.result === "scheduled" ? "t-small" : "t-small t-bad", cut(reason, b.w - 58, SMALL)),
    );
  }
  const pod = e.object?.name ?? "";
  return h(
    "g",
    { class: "funnel" },
    rows,
    rows.length < room ? text(b.x + b.w - 20, b.y + b.h - 12, "t-tiny", cut(pod, b.w - 60, TINY), "end") : null,
  );
}

function cloud(v: View): VNode {
  const b = v.geometry.cloud;
  const health = v.state.components.get("cloud-controller-manager");
  return part(
    v,
    "cloud-controller-manager",
    "cloud-controller-manager",
    "",
    rect(b, "card", 14),
    dot(b.x + 22, b.y + 27, health),
    text(b.x + 38, b.y + 34, "t-head", "cloud-controller-manager"),
  );
}

function quietLane(v: View): VNode {
  const { geometry: g, state: s, lang } = v;
  const full = g.quiet;
  const b = s.cloud && g.shape === "wide" ? { ...full, y: full.y + 84, h: full.h - 84 } : full;
  const counts = quietLanes.filter(
    (q) => s.quiet[q] > 0 || q === "leases" || q === "nodeStatus" || q === "events" || q === "reads",
  );
  const columns = g.shape === "wide" ? 2 : 3;
  const low = b.h < 120;
  const w = (b.w - 36) / columns;
  const cells = counts.slice(0, low && g.shape === "wide" ? 2 : 6).map((q, i) => {
    const x = b.x + 18 + (i % columns) * w;
    const y = b.y + (low ? 52 : 58) + Math.floor(i / columns) * 25;
    return h(
      "g",
      { key: q },
      quietMark(q, x + 5, y - 5),
      text(x + 18, y, "t-small", cut(`${word(lang, q)} ${thousands(s.quiet[q])}`, w - 20, SMALL)),
    );
  });
  const beats = s.beats.map((q, i) => quietMark(q, b.x + 22 + i * ((b.w - 44) / 39), b.y + b.h - 16, `beat ${i}`));
  const all = quietLanes.reduce((n, q) => n + s.quiet[q], 0);
  return part(
    v,
    "quiet",
    `${word(lang, "quiet")}: ${counts.map((q) => `${word(lang, q)} ${s.quiet[q]}`).join(", ")}`,
    "quiet",
    rect(b, "quiet-card", 14),
    text(b.x + 18, b.y + 28, "t-quiet", word(lang, "quiet")),
    text(b.x + b.w - 18, b.y + 28, "t-small", thousands(all), "end"),
    cells,
    low && g.shape === "wide" ? null : beats,
  );
}

function thousands(n: number): string {
  return String(n).replace(/(?=(\d{3})+$)\B/g, ",");
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

/* Nodes and pods */

function nodes(v: View): VNode[] {
  const { geometry: g, state: s, lang } = v;
  const out: VNode[] = [];
  const all = [...s.nodes.values()].sort((a, b) => a.slot - b.slot);
  if (all.length === 0) {
    const y = g.shape === "wide" ? 600 : 880;
    out.push(text(g.width / 2, y, "t-small", word(lang, "nodesAppear"), "middle"));
    return out;
  }
  for (const n of all) {
    const b = g.nodes[n.slot];
    if (b) out.push(node(v, n, b));
  }
  if (g.more) {
    const rest = all.filter((n) => n.slot >= g.nodes.length);
    const podCount = [...s.pods.values()].filter((p) => rest.some((n) => n.name === p.node)).length;
    const b = g.more;
    out.push(
      part(
        v,
        "nodes",
        `+${rest.length} ${word(lang, "moreNodes")}`,
        "node",
        rect(b, "card", 14),
        text(b.x + b.w / 2, b.y + b.h / 2 - 4, "t-title", `+${rest.length} ${word(lang, "moreNodes")}`, "middle"),
        text(b.x + b.w / 2, b.y + b.h / 2 + 24, "t-small", `${podCount} Pods`, "middle"),
      ),
    );
  }
  return out;
}

function memoryWords(m: string): string {
  const ki = /^(\d+)Ki$/.exec(m);
  if (!ki) return m;
  const gi = Number(ki[1]) / 1024 / 1024;
  return gi >= 1 ? `${Math.round(gi * 10) / 10}Gi` : `${Math.round(Number(ki[1]) / 1024)}Mi`;
}

function node(v: View, n: NodeView, b: NodeBox): VNode {
  const { state: s, lang } = v;
  const kubelet = s.components.get(`kubelet:${n.name}`);
  const focus = v.event(v.focus);
  const here = focus && (actorOf(focus.from).node === n.name || actorOf(focus.to ?? "").node === n.name);
  const calls = here && focus.kind === "cri";
  const low = b.h < 200;
  const facts = [n.cpu && `${n.cpu} CPU`, memoryWords(n.memory), b.w > 380 && n.zone].filter(Boolean).join(" · ");
  const state =
    n.uid === ""
      ? word(lang, "notRegistered")
      : n.ready === false
        ? word(lang, "notReady")
        : n.unschedulable
          ? word(lang, "unschedulable")
          : "";
  // Only our own runtime runs stand-ins; another says its name itself.
  const runs = n.runtime.startsWith("kubestage-programs://") ? word(lang, "standIn") : n.runtime.replace("://", " ");
  const side = state || facts;
  const top = b.y + (low ? 25 : 33);
  const children: Child[] = [
    part(
      v,
      `node:${n.name}`,
      `${n.name} ${state} ${facts}`,
      `node ${n.uid ? "" : "ghost"} ${n.ready === false ? "notready" : ""} ${here ? "now" : ""}`,
      rect(b, "card", 14),
      text(b.x + 16, top, low ? "t-head" : "t-title", cut(n.name, b.w * 0.5, low ? 18 : 20)),
      text(b.x + b.w - 16, top, state && n.uid ? "t-small t-bad" : "t-small", cut(side, b.w * 0.48, SMALL), "end"),
    ),
    chip(
      v,
      `kubelet:${n.name}`,
      b.kubelet,
      "kubelet",
      kubelet && (kubelet.health !== "ready" || troubled(v, kubelet)) ? healthWords(v, kubelet) : "",
      here && actorOf(focus.from).role === "kubelet",
      kubelet,
    ),
    chip(
      v,
      `runtime:${n.name}`,
      b.runtime,
      low ? cut(runs || "runtime", b.runtime.w - 12, SMALL) : "runtime",
      low ? "" : cut(runs, b.runtime.w - 12, SMALL),
      calls ?? false,
    ),
    h("path", {
      key: `cri ${n.name}`,
      class: "line line-cri",
      d: `M${b.kubelet.x + b.kubelet.w} ${b.kubelet.y + b.kubelet.h / 2}H${b.runtime.x}`,
      "aria-hidden": "true",
    }),
  ];
  const pods = [...s.pods.values()].filter((p) => p.node === n.name).sort((a, c) => a.slot - c.slot);
  const grid = tileGrid(b.pods, s.crowd);
  const room = grid.columns * grid.rows;
  let hidden = 0;
  for (const p of pods) {
    const at = tileAt(b.pods, grid, p.slot);
    if (at && !(pods.length > room && p.slot >= room - 1)) children.push(podTile(v, p, at, grid.size));
    else hidden++;
  }
  if (hidden > 0) {
    const at = tileAt(b.pods, grid, room - 1);
    if (at) children.push(text(at.x + at.w / 2, at.y + at.h / 2 + 5, "t-small", `+${hidden}`, "middle"));
  }
  return h("g", { key: `n ${n.name}` }, children);
}

function chip(
  v: View,
  id: string,
  b: Box,
  name: string,
  says: string,
  now: boolean | undefined,
  c?: ComponentView,
): VNode {
  const two = says !== "" && b.h >= 40;
  const cx = b.x + b.w / 2;
  return part(
    v,
    id,
    `${name} ${says}`,
    `unit ${now ? "now" : ""} ${troubled(v, c) ? "bad" : ""}`,
    rect(b, "unit-box", 8),
    text(cx, two ? b.y + 18 : b.y + b.h / 2 + 5, "t-unit", cut(name, b.w - 10, 15), "middle"),
    two ? text(cx, b.y + 34, "t-tiny", cut(says, b.w - 8, TINY), "middle") : null,
  );
}

const phaseWords: Record<PodPhase, string> = {
  pending: "Pending",
  creating: "Creating",
  running: "Running",
  ready: "Ready",
  crashloop: "CrashLoop",
  image: "ImagePull",
  terminating: "Terminating",
  succeeded: "Succeeded",
  failed: "Failed",
};

export function phaseWord(p: Pick<PlacedPod, "phase" | "says">): string {
  return p.phase === "crashloop" && p.says !== "CrashLoopBackOff" ? p.says : phaseWords[p.phase];
}

/** A pod's state as a shape, so that colour never speaks alone. */
export function podMark(phase: PodPhase, x: number, y: number, r: number): VNode {
  const cls = `pod-mark mark-${phase}`;
  switch (phase) {
    case "pending":
      return h(
        "text",
        { x, y: y + r * 0.62, class: `${cls} mark-word`, "text-anchor": "middle", "font-size": r * 1.8 },
        "?",
      );
    case "creating":
      return h("path", { class: cls, d: `M${x} ${y - r}a${r} ${r} 0 1 1 ${-r} ${r}` });
    case "running":
      return h("circle", { class: cls, cx: x, cy: y, r: r - 1 });
    case "ready":
      return h("circle", { class: cls, cx: x, cy: y, r });
    case "crashloop":
    case "image":
      return h(
        "g",
        { class: cls },
        h("path", { d: `M${x} ${y - r}l${r * 1.1} ${r * 1.9}h${-r * 2.2}z` }),
        h("path", { class: "mark-inner", d: `M${x} ${y - r * 0.25}v${r * 0.5}M${x} ${y + r * 0.52}v0.1` }),
      );
    case "terminating":
      return h("path", { class: cls, d: `M${x - r} ${y - r}h${r * 2}v${r * 2}h${-r * 2}z` });
    case "succeeded":
      return h("path", { class: cls, d: `M${x - r} ${y}l${r * 0.7} ${r * 0.7}l${r * 1.2} ${-r * 1.4}` });
    case "failed":
      return h("path", {
        class: cls,
        d: `M${x - r * 0.8} ${y - r * 0.8}l${r * 1.6} ${r * 1.6}m0 ${-r * 1.6}l${-r * 1.6} ${r * 1.6}`,
      });
  }
}

function podTile(v: View, p: PlacedPod, b: Box, size: "large" | "medium" | "small" | "tiny"): VNode {
  const focus = v.event(v.focus);
  const now =
    focus?.object?.uid === p.uid ||
    (focus?.object?.resource === "pods" && focus.object.name === p.name && focus.object.namespace === p.namespace);
  const chosen = v.selection?.type === "object" && v.selection.uid === p.uid;
  const lit = v.lit === "pods" || v.lit === "pod" || v.lit === `pod:${p.namespace}/${p.name}`;
  const cx = b.x + b.w / 2;
  const says = phaseWord(p);
  const children: Child[] = [
    rect(b, "pod-box", size === "large" ? 9 : 6),
    h("title", null, `${p.namespace}/${p.name}: ${p.says}`),
  ];
  if (size === "large") {
    children.push(podMark(p.phase, cx, b.y + 23, 11.5));
    const shown = p.containers.slice(0, 6);
    shown.forEach((c, i) => {
      children.push(
        h("rect", {
          key: `c${i}`,
          class: `container c-${c.look}`,
          x: cx - (shown.length * 13 - 4) / 2 + i * 13,
          y: b.y + 42,
          width: 9,
          height: 9,
          rx: 2,
        }),
      );
    });
    children.push(
      text(cx, b.y + 70, "t-pod", cut(p.name, b.w - 6, 14), "middle"),
      text(cx, b.y + 88, "t-tiny", cut(says, b.w - 6, TINY), "middle"),
    );
  } else if (size === "medium") {
    children.push(podMark(p.phase, cx, b.y + 19, 9), text(cx, b.y + 45, "t-tiny", cut(says, b.w - 4, TINY), "middle"));
  } else children.push(podMark(p.phase, cx, b.y + b.h / 2, size === "small" ? 7 : 6));
  const cls = ["pod", `pod-${p.phase}`, now && "now", chosen && "chosen", lit && "lit"].filter(Boolean).join(" ");
  return h(
    "g",
    {
      key: `pod ${p.uid}`,
      class: cls,
      "data-object": p.key,
      "data-uid": p.uid,
      role: "button",
      tabindex: 0,
      "aria-label": `Pod ${p.namespace}/${p.name}, ${p.says}`,
    },
    children,
  );
}

export function silence(lang: Lang, ms: number): string {
  return word(lang, "idle", duration(lang, ms));
}
