// Lines: in the gutters, under everything. Where there are many nodes, their
// lines share one along the upper edge, and only tokens go on from there.

import { others } from "./clients.ts";
import type { Geometry } from "./geometry.ts";
import { linkMark } from "./health.ts";
import { h, type VNode } from "./node.ts";
import type { View } from "./part.ts";
import { sameAsBefore } from "./same.ts";
import { type Point, pathData, Way } from "./way.ts";

/** Links are named after their clients, places after what they are in the picture. */
const linkOfPlace: Record<string, string> = {
  person: "kubectl",
  controllers: "kube-controller-manager",
  scheduler: "kube-scheduler",
  cloud: "cloud-controller-manager",
};

export function lines(v: View): VNode {
  const { state: s } = v;
  const outside = [s.clients.has("kubestage"), others(s).length > 0, s.cloud];
  const of = [...outside, ...s.nodes.values(), ...s.links.values()];
  return sameAsBefore(v, "lines", of, () => draw(v));
}

function draw(v: View): VNode {
  const { geometry: g, state: s } = v;
  const ask: VNode[] = [];
  const tell: VNode[] = [];
  const broken: VNode[] = [];
  const line = (to: VNode[], key: string, points: readonly Point[], cls: string, link: string) => {
    const l = s.links.get(link);
    to.push(h("path", { key, d: data(g, key, points), class: l ? `${cls} is-${l.state}` : cls }));
    if (l && to !== tell) broken.push(linkMark(l.state, nearClient(points), l.name));
  };
  for (const p of [
    "person",
    s.clients.has("kubestage") && "kubestage",
    others(s).length > 0 && "others",
    "controllers",
    "scheduler",
    s.cloud && "cloud",
  ]) {
    if (!p) continue;
    const link = linkOfPlace[p] ?? p;
    line(ask, `ask ${p}`, g.toDoor(p, -1), "line line-ask", link);
    if (!["person", "kubestage", "others"].includes(p))
      line(tell, `tell ${p}`, g.fromWatch(p, -1), "line line-tell", link);
  }
  const each = g.rooms.grain === "full" || g.rooms.grain === "low";
  const all = [...s.nodes.values()].sort((a, b) => a.slot - b.slot);
  const open = g.rooms.nodes.findIndex((b) => b?.grain === "full");
  for (const n of all) {
    const drawn = g.rooms.nodes[n.slot] && (each || s.links.has(`kubelet:${n.name}`));
    // Of the others only the ends of the first row: those between share their lines.
    if (!drawn && n.slot !== 0 && n.slot !== Math.min(g.rooms.columns, all.length) - 1 && open !== n.slot) continue;
    const link = `kubelet:${n.name}`;
    line(ask, `ask node ${n.slot}`, g.toDoor("node", n.slot), "line line-ask", link);
    line(tell, `tell node ${n.slot}`, g.fromWatch("node", n.slot), "line line-tell", link);
  }
  const [a, ...rest] = g.toEtcd;
  const level = rest.length === 1 && a!.y === rest[0]!.y;
  const store: VNode[] = [];
  line(
    store,
    "etcd",
    [level ? { x: g.hall.x + g.hall.w, y: a!.y } : { x: a!.x, y: g.hall.y + g.hall.h }, ...rest],
    "line line-etcd",
    "etcd",
  );
  return h("g", { key: "lines", class: "lines", "aria-hidden": "true" }, ask, tell, store, broken);
}

const known = new WeakMap<Geometry, Map<string, string>>();
/** The lines of a layout do not change. */
function data(g: Geometry, key: string, points: readonly Point[]): string {
  let all = known.get(g);
  if (!all) {
    all = new Map();
    known.set(g, all);
  }
  let d = all.get(key);
  if (d === undefined) {
    d = pathData(points);
    all.set(key, d);
  }
  return d;
}

/** Further on, many links share one line. */
function nearClient(points: readonly Point[]): Point {
  const way = new Way(points);
  return way.at(Math.min(0.5, 24 / way.length));
}
