// Nodes with their kubelet, their runtime and their pods; small ones as counts.
import { word } from "../i18n/ui.ts";
import { actorOf } from "../model/actor.ts";
import { type ComponentView, type NodeView, type PlacedPod, podsOn } from "../model/state.ts";
import type { KubeEvent } from "../wire/event.ts";
import { healthWords, troubled } from "./health.ts";
import { cut, widthOf } from "./measure.ts";
import { h, type VNode } from "./node.ts";
import { part, rect, small, text, thousands, type View } from "./part.ts";
import { countLine, countPhases, countWord, podArea } from "./pods.ts";
import type { NodeBox } from "./rooms.ts";
import { sameAsBefore } from "./same.ts";
import type { Box } from "./way.ts";
import { readZoom } from "./zoom.ts";

export function nodes(v: View): VNode[] {
  const { geometry: g, state: s, lang } = v;
  const all = [...s.nodes.values()].sort((a, b) => a.slot - b.slot);
  if (all.length === 0) {
    const y = g.shape === "wide" ? 500 : 880;
    return [text(g.width / 2, y, "t-small", word(lang, "nodesAppear"), "middle")];
  }
  const out: VNode[] = [];
  const rest: NodeView[] = [];
  for (const n of all) {
    const b = g.rooms.nodes[n.slot];
    if (!b) rest.push(n);
    else if (b.grain === "full" || b.grain === "low") out.push(node(v, n, b, podsOn(s, n.name)));
    else {
      const pods = podsOn(s, n.name);
      const of = [pods, n, isHere(v, n), s.crowd];
      out.push(sameAsBefore(v, `node ${n.name}`, of, () => smallNode(v, n, b, pods)));
    }
  }
  if (g.rooms.rest) out.push(restOf(v, rest, g.rooms.rest));
  if (g.rooms.sum) out.push(sum(v, all, g.rooms.sum.x, g.rooms.sum.y));
  return out;
}

function restOf(v: View, rest: NodeView[], b: Box): VNode {
  const { lang } = v;
  const pods = rest.reduce((n, r) => n + podsOn(v.state, r.name).length, 0);
  const says = word(lang, "moreNodes", rest.length);
  const open = readZoom(v.zoom)?.what === "node";
  const roomy = b.h > 90;
  const y = roomy ? b.y + 40 : b.y + b.h / 2 + 5;
  return h(
    "g",
    {
      key: "nodes",
      class: "part node",
      ...(open ? { "data-zoom": "" } : { "data-part": "nodes" }),
      role: "button",
      tabindex: 0,
      "aria-label": `${says}, ${pods} Pods${open ? `. ${word(lang, "backToAll")}` : ""}`,
    },
    rect(b, "card", Math.min(14, b.h / 3)),
    b.h < 24 ? null : text(b.x + b.w / 2, y, "t-head", cut(says, b.w - 16, v.size.head), "middle"),
    roomy ? small(v, b.x + b.w / 2, b.y + 64, "", `${thousands(pods)} Pods`, b.w - 16, "middle") : null,
    roomy && open
      ? small(v, b.x + b.w / 2, b.y + b.h - 18, "t-accent", `← ${word(lang, "backToAll")}`, b.w - 12, "middle")
      : null,
  );
}

/** All nodes and pods in a line, when each is drawn small. */
function sum(v: View, all: readonly NodeView[], x: number, y: number): VNode {
  const { lang, state: s } = v;
  const ready = all.filter((n) => n.ready === true).length;
  const says = word(lang, "sumOfNodes", thousands(all.length));
  const notReady = all.length - ready;
  const parts = [
    `${says} · ${thousands(ready)} Ready`,
    notReady > 0 && `${thousands(notReady)} NotReady`,
    `${thousands(s.pods.size)} Pods`,
  ].filter(Boolean);
  const head = parts.join(" · ");
  const left = x + head.length * v.size.small * 0.54 + 16;
  return h(
    "g",
    { key: "sum" },
    small(v, x, y, "t-ink", head, v.geometry.width - x),
    countLine(countPhases(...s.there.values()), left, y, v.geometry.width - left - 8, v),
  );
}

function memoryWords(m: string): string {
  const ki = /^(\d+)Ki$/.exec(m);
  if (!ki) return m;
  const gi = Number(ki[1]) / 1024 / 1024;
  return gi >= 1 ? `${Math.round(gi * 10) / 10}Gi` : `${Math.round(Number(ki[1]) / 1024)}Mi`;
}

function stateWords(v: View, n: NodeView): string {
  if (n.uid === "") return word(v.lang, "notRegistered");
  if (n.ready === false) return word(v.lang, "notReady");
  return n.unschedulable ? word(v.lang, "unschedulable") : "";
}

function isHere(v: View, n: NodeView): boolean {
  const focus = v.event(v.focus);
  return focus !== undefined && (actorOf(focus.from).node === n.name || actorOf(focus.to ?? "").node === n.name);
}

function classesOf(v: View, n: NodeView): string {
  return ["node", n.uid ? "" : "ghost", n.ready === false ? "notready" : "", isHere(v, n) ? "now" : ""]
    .filter(Boolean)
    .join(" ");
}

function node(v: View, n: NodeView, b: NodeBox, pods: readonly PlacedPod[]): VNode {
  const { state: s } = v;
  const kubelet = s.components.get(`kubelet:${n.name}`);
  const focus = v.event(v.focus);
  const here = isHere(v, n);
  const zoom = readZoom(v.zoom);
  const open = zoom?.what === "node" && zoom.node === n.name ? zoom : null;
  const of = [n, kubelet, s.links.get(`kubelet:${n.name}`), here && focus];
  return h(
    "g",
    { key: `n ${n.name}` },
    sameAsBefore(v, `works ${n.name}`, of, () => works(v, n, b, kubelet, here ? focus : undefined)),
    podArea(v, n.name, pods, b.pods, open),
  );
}

/** A node without its pods; focus is what happens there now. */
function works(v: View, n: NodeView, b: NodeBox, kubelet: ComponentView | undefined, focus?: KubeEvent): VNode[] {
  const { lang } = v;
  const low = b.grain === "low";
  const facts = [n.cpu && `${n.cpu} CPU`, memoryWords(n.memory), b.w > 20 * v.size.small && n.zone]
    .filter(Boolean)
    .join(" · ");
  const state = stateWords(v, n);
  // Only our own runtime runs stand-ins; another says its name itself.
  const ours = n.runtime.startsWith("kubestage-programs://");
  const runs = ours ? word(lang, "standInShort") : n.runtime.replace("://", " ");
  const ill = kubelet && (kubelet.health !== "ready" || troubled(v, kubelet)) ? healthWords(v, kubelet) : "";
  const title = low ? b.y + 23 : b.y + 26;
  const nameW = low ? b.kubelet.x - b.x - 22 : b.w * 0.45;
  return [
    part(
      v,
      `node:${n.name}`,
      `${n.name} ${state} ${facts}`,
      classesOf(v, n),
      rect(b, "card", 14),
      text(b.x + 14, title, low ? "t-head" : "t-title", cut(n.name, nameW, low ? v.size.head : v.size.title)),
      low
        ? null
        : small(v, b.x + b.w - 14, title, state && n.uid ? "t-bad" : "", state || facts, b.w * 0.52 - 18, "end"),
    ),
    chip(
      v,
      `kubelet:${n.name}`,
      b.kubelet,
      low || !ill ? "kubelet" : `kubelet: ${ill}`,
      `kubelet ${ill}`,
      actorOf(focus?.from ?? "").role === "kubelet",
      kubelet,
    ),
    chip(
      v,
      `runtime:${n.name}`,
      b.runtime,
      low ? "runtime" : widthOf(`runtime: ${runs}`, v.size.small) > b.runtime.w - 8 ? runs : `runtime: ${runs}`,
      `runtime ${runs}`,
      focus?.kind === "cri",
    ),
    h("path", {
      key: `cri ${n.name}`,
      class: "line line-cri",
      d: `M${b.kubelet.x + b.kubelet.w} ${b.kubelet.y + b.kubelet.h / 2}H${b.runtime.x}`,
      "aria-hidden": "true",
    }),
  ];
}

/** The number alone, where a name with a number does not fit. */
function shortName(v: View, name: string, width: number): string {
  if (widthOf(name, v.size.small) <= width) return name;
  return /\d+$/.exec(name)?.[0] ?? cut(name, width, v.size.small);
}

/** A node of many: its name and its pods by state; a bar where there is no room for words. */
function smallNode(v: View, n: NodeView, b: NodeBox, pods: readonly PlacedPod[]): VNode {
  const state = stateWords(v, n);
  const counts = countPhases(pods);
  const label = [n.name, state, ...counts.map(([p, c]) => `${c} ${countWord(p)}`)].filter(Boolean).join(", ");
  const attrs = {
    key: `n ${n.name}`,
    class: `part ${classesOf(v, n)} small-node`,
    "data-zoom": `node:${n.name}`,
    role: "button",
    tabindex: 0,
    "aria-label": label,
  };
  const lit = v.lit === "nodes" || v.lit === "node" || v.lit === `node:${n.name}` ? " lit" : "";
  attrs.class += lit;
  const card = rect(b, "card", Math.min(10, b.h / 3));
  if (b.grain === "dot") {
    let x = b.x + 3;
    const full = b.w - 6;
    const most = Math.max(1, v.state.crowd);
    const bars = counts.map(([phase, c]) => {
      const w = (full * c) / most;
      const bar = h("rect", {
        key: phase,
        x,
        y: b.y + b.h / 2 - 2.5,
        width: w,
        height: 5,
        class: `share share-${phase}`,
      });
      x += w;
      return bar;
    });
    return h("g", attrs, card, h("title", null, label), bars);
  }
  const total = thousands(pods.length);
  const base = b.grain === "cell" ? b.y + b.h / 2 + v.size.small * 0.36 : b.y + 20;
  return h(
    "g",
    attrs,
    card,
    h("title", null, label),
    text(b.x + 8, base, "t-small t-ink t-strong", shortName(v, n.name, b.w - 22 - total.length * 8)),
    text(b.x + b.w - 8, base, state ? "t-small t-bad" : "t-small", state && b.grain === "card" ? "✕" : total, "end"),
    b.grain === "card" ? countLine(counts, b.x + 8, b.y + 41, b.w - 16, v) : null,
  );
}

function chip(v: View, id: string, b: Box, says: string, label: string, now: boolean, c?: ComponentView): VNode {
  const cx = b.x + b.w / 2;
  return h(
    "g",
    { key: `chip ${id}` },
    part(
      v,
      id,
      label,
      `unit ${now ? "now" : ""} ${troubled(v, c) ? "bad" : ""}`,
      rect(b, "unit-box", 8),
      text(cx, b.y + b.h / 2 + v.size.small * 0.36, "t-unit", cut(says, b.w - 8, v.size.small), "middle"),
    ),
  );
}
