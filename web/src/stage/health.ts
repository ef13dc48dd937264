// How a component's process is, and whether it can be reached.
import { type Word, word } from "../i18n/ui.ts";
import type { ComponentView, LinkView } from "../model/state.ts";
import { cut } from "./measure.ts";
import { h, type VNode } from "./node.ts";
import { text, type View } from "./part.ts";
import type { Point } from "./way.ts";

export function linkWords(v: View, name: string): string {
  const l = v.state.links.get(name);
  if (!l) return "";
  return l.state === "cut" ? word(v.lang, "cut") : word(v.lang, "delayed", Math.round(l.delay * 1000));
}

export function healthWords(v: View, c: ComponentView | undefined): string {
  if (!c) return "";
  let says = c.health === "unknown" ? "" : word(v.lang, c.health as Word);
  if (c.health === "backoff") says = `${word(v.lang, "backoff")} ${c.wait} ${word(v.lang, "seconds")}`;
  return [says, linkWords(v, c.name)].filter(Boolean).join(", ");
}

/** What keeps it from its work: that it does not run, or that nothing reaches it. */
export function troubled(v: View, c: ComponentView | undefined): boolean {
  return (
    c !== undefined && (["exited", "backoff", "stopped", "frozen"].includes(c.health) || v.state.links.has(c.name))
  );
}

export function dot(x: number, y: number, c: ComponentView | undefined): VNode {
  const health = c?.health ?? "unknown";
  const cls = `health health-${health}`;
  if (health === "frozen") return h("path", { d: `M${x - 3} ${y - 5}v10m6 -10v10`, class: cls });
  if (health === "exited" || health === "backoff")
    return h("path", { d: `M${x - 4.5} ${y - 4.5}l9 9m0 -9l-9 9`, class: cls });
  return h("circle", { cx: x, cy: y, r: 4.5, class: cls });
}

/** What a component says while it is not simply ready. */
export function boot(v: View, c: ComponentView | undefined, x: number, y: number, width = 300): VNode | null {
  if (!c || c.health === "unknown" || (c.health === "ready" && !v.state.links.has(c.name))) return null;
  const bad = troubled(v, c);
  let says = healthWords(v, c);
  if (c.health === "exited" && c.exit) says += `: ${c.exit}`;
  return text(x, y, bad ? "t-small t-bad" : "t-small t-accent", cut(says, width, v.size.small));
}

/** A break in the line, or a clock for what comes late. */
export function linkMark(state: LinkView["state"], { x, y }: Point, name = ""): VNode {
  return h(
    "g",
    { key: `link ${name}`, class: `link-mark is-${state}` },
    h("circle", { cx: x, cy: y, r: 10 }),
    h("path", { d: state === "cut" ? `M${x - 4} ${y - 4}l8 8m0 -8l-8 8` : `M${x} ${y - 5.5}v5.5h4` }),
  );
}
