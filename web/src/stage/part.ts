// What all parts of the picture are made with: what is looked at, boxes that
// can be asked about, and texts that fit.
import type { Lang, Selection } from "../app.ts";
import type { ClusterState } from "../model/state.ts";
import type { KubeEvent } from "../wire/event.ts";
import type { Geometry } from "./geometry.ts";
import { cut, type Scale, wrap } from "./measure.ts";
import { type Child, h, type VNode } from "./node.ts";
import type { Box } from "./way.ts";

export interface View {
  lang: Lang;
  geometry: Geometry;
  /** How large texts are. */
  size: Scale;
  state: ClusterState;
  event(seq: number): KubeEvent | undefined;
  /** What a request went through inside the kube-apiserver, if that is known. */
  span(seq: number): KubeEvent | undefined;
  /** The newest events at or before the playhead that fulfil a condition, newest first. */
  recent(test: (e: KubeEvent) => boolean, most: number): KubeEvent[];
  /** The step at the playhead: its last event, and the first event of its story. */
  focus: number;
  storyRoot: number;
  /** The request in the hall, and how many of its gates lie behind it. */
  inHall: { seq: number; passed: number } | null;
  /** The scheduling cycle to show: how much of it has been told, 0 to 1. */
  cycle: { seq: number; told: number } | null;
  selection: Selection | null;
  lit: string | null;
  /** What is open in place of the rest; see zoom.ts. */
  zoom: string | null;
}

export function text(x: number, y: number, cls: string, s: string, anchor?: "middle" | "end"): VNode {
  return h("text", { x, y, class: cls, "text-anchor": anchor }, s);
}

export function rect(b: Box, cls: string, r = 10): VNode {
  return h("rect", { x: b.x, y: b.y, width: b.w, height: b.h, rx: r, class: cls });
}

/** A small text that fits a width. */
export function small(
  v: View,
  x: number,
  y: number,
  cls: string,
  s: string,
  width: number,
  anchor?: "middle" | "end",
): VNode {
  return text(x, y, `t-small ${cls}`.trim(), cut(s, width, v.size.small), anchor);
}

/** A small sentence, in two lines where one is too short for it. */
export function said(v: View, x: number, y: number, s: string, width: number): VNode[] {
  return wrap(s, width, v.size.small, 2).map((line, i) => text(x, y + i * v.size.small * 1.4, "t-small", line));
}

/** A box of the picture that can be asked about. */
export function part(v: View, id: string, label: string, classes: string, ...children: (Child | Child[])[]): VNode {
  const chosen = v.selection?.type === "part" && v.selection.id === id;
  const cls = ["part", classes.trim(), chosen && "chosen", isLit(v, id) && "lit"].filter(Boolean).join(" ");
  return h(
    "g",
    { key: id, class: cls, "data-part": id, role: "button", tabindex: 0, "aria-label": label.trim() },
    ...children,
  );
}

function isLit(v: View, id: string): boolean {
  if (!v.lit) return false;
  if (v.lit === id) return true;
  if (v.lit === "nodes" || v.lit === "node") return id.startsWith("node:") || id === "nodes";
  if (v.lit === "kubelet") return id.startsWith("kubelet:");
  if (v.lit === "runtime") return id.startsWith("runtime:");
  return false;
}

export function thousands(n: number): string {
  return String(n).replace(/(?=(\d{3})+$)\B/g, ",");
}

/** The sign that a component can be looked into. */
export function opener(id: string, x: number, y: number, label: string): VNode {
  return h(
    "g",
    { key: `open ${id}`, class: "opener", "data-zoom": id, role: "button", tabindex: 0, "aria-label": label },
    h("rect", { x: x - 12, y: y - 12, width: 24, height: 24, rx: 6, class: "hit" }),
    h("path", {
      d: `M${x - 6} ${y - 1.5}v-4.5h4.5M${x + 6} ${y + 1.5}v4.5h-4.5M${x - 5.5} ${y - 5.5}l4 4M${x + 5.5} ${y + 5.5}l-4 -4`,
    }),
  );
}
