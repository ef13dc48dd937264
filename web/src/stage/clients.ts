// Who asks from outside: the first has the place of kubectl, later ones share
// the place above it, and Kubestage itself is one of them.
import { actorOf } from "../model/actor.ts";
import type { ClusterState } from "../model/state.ts";
import { linkWords } from "./health.ts";
import { cut } from "./measure.ts";
import { h, type VNode } from "./node.ts";
import { part, rect, small, text, type View } from "./part.ts";
import { personPlace } from "./tokens.ts";

export function others(s: ClusterState): string[] {
  return [...s.clients.values()]
    .filter((c) => c.id !== "kubestage" && personPlace(s, c.id) === "others")
    .map((c) => c.id);
}

function program(agent: string): string {
  const p = agent.split(/[/\s]/)[0] ?? "";
  return p === "" || p === "dashboard" ? "kubectl" : p;
}

export function clients(v: View): VNode {
  const { geometry: g, state: s } = v;
  const first = [...s.clients.values()].find(
    (c) => actorOf(c.id).role === "person" && personPlace(s, c.id) === "person",
  );
  const name = first ? program(first.agent) : "kubectl";
  const who = first?.id ?? "kubernetes-admin";
  const b = g.person;
  const from = v.event(v.focus)?.from ?? "";
  const outside = actorOf(from).role === "person" || from === "kubestage";
  const here = from === "kubestage" ? "kubestage" : personPlace(s, from);
  const now = (place: string) => (outside && place === here ? "now" : "");
  const cx = b.x + b.w / 2;
  const out: VNode[] = [
    part(
      v,
      "kubectl",
      [name, who, linkWords(v, "kubectl")].filter(Boolean).join(", "),
      `client ${now("person")}`,
      rect(b, "card"),
      text(cx, b.y + b.h / 2 - 4, "t-head", cut(name, b.w - 16, v.size.head), "middle"),
      small(v, cx, b.y + b.h / 2 + 18, "", who, b.w - 12, "middle"),
    ),
  ];
  const minor = (id: "kubestage" | "others", label: string, says: string) => {
    const k = g[id];
    const y = k.y + k.h / 2 + v.size.small * 0.36;
    return part(
      v,
      id,
      label,
      `client minor ${now(id)}`,
      rect(k, "card"),
      small(v, k.x + k.w / 2, y, "t-ink", says, k.w - 12, "middle"),
    );
  };
  if (s.clients.has("kubestage")) out.push(minor("kubestage", "Kubestage", "kubestage"));
  const rest = others(s);
  if (rest.length > 0) {
    const last = actorOf(rest[rest.length - 1]!).name;
    out.push(minor("others", rest.join(", "), rest.length === 1 ? last : `${last} +${rest.length - 1}`));
  }
  return h("g", { key: "clients" }, out);
}
