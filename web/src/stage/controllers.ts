// The kube-controller-manager as a bank of controllers: those that act have a
// chip. And the cloud-controller-manager, where there is one.
import { word } from "../i18n/ui.ts";
import { actorOf } from "../model/actor.ts";
import { CHIPS, type ComponentView } from "../model/state.ts";
import { boot, dot, healthWords, troubled } from "./health.ts";
import { cut, widthOf } from "./measure.ts";
import { h, type VNode } from "./node.ts";
import { opener, part, rect, said, small, text, type View } from "./part.ts";
import { sameAsBefore } from "./same.ts";
import { box } from "./way.ts";

const COLUMNS = 3;

export function controllers(v: View): VNode {
  const { state: s } = v;
  const health = s.components.get("kube-controller-manager");
  const actor = actorOf(v.event(v.focus)?.from ?? "");
  const at = actor.role === "controllers" ? actor.name : null;
  const chips = [s.accounts.size, v.storyRoot, ...s.controllers.values()];
  const of = [health, s.links.get("kube-controller-manager"), at, ...chips];
  return sameAsBefore(v, "controllers", of, () => draw(v, health, at));
}

/** at is the controller that acts now. */
function draw(v: View, health: ComponentView | undefined, at: string | null): VNode {
  const { geometry: g, state: s, lang } = v;
  const b = g.controllers;
  const gap = 7;
  const w = (b.w - 28 - gap * (COLUMNS - 1)) / COLUMNS;
  const chips = [...s.controllers.values()]
    .filter((c) => c.slot >= 0 && c.slot < CHIPS)
    .map((c) => {
      const place = box(b.x + 14 + (c.slot % COLUMNS) * (w + gap), b.y + 40 + Math.floor(c.slot / COLUMNS) * 34, w, 28);
      const state = at === c.name ? "now" : c.seq >= v.storyRoot ? "awake" : "";
      const short = c.name.replace(/-controller$/, "");
      return part(
        v,
        c.name,
        c.name,
        `unit ${state}`,
        rect(place, "unit-box", 14),
        text(place.x + w / 2, place.y + 19, "t-unit", cut(short, w - 4, v.size.small), "middle"),
      );
    });
  const hidden = s.accounts.size - chips.length;
  const name = widthOf("kube-controller-manager", v.size.head);
  const side = b.w - 34 - name - 52;
  return h(
    "g",
    { key: "controllers" },
    part(
      v,
      "kube-controller-manager",
      `kube-controller-manager, ${healthWords(v, health)}`,
      at === null ? "" : "now",
      rect(b, "card", 14),
      dot(b.x + 20, b.y + 20, health),
      text(b.x + 34, b.y + 26, "t-head", "kube-controller-manager"),
      chips.length
        ? boot(v, health, b.x + 34 + name + 10, b.y + 26, side)
        : (boot(v, health, b.x + 34, b.y + 62, b.w - 50) ??
            said(v, b.x + 34, b.y + 62, word(lang, "idleControllers"), b.w - 50)),
      hidden > 0 && !troubled(v, health) ? small(v, b.x + b.w - 40, b.y + 26, "", `+${hidden}`, side, "end") : null,
    ),
    chips,
    opener("kube-controller-manager", b.x + b.w - 21, b.y + 20, word(lang, "lookInto", "kube-controller-manager")),
  );
}

export function cloud(v: View): VNode {
  const b = v.geometry.cloud;
  const health = v.state.components.get("cloud-controller-manager");
  return part(
    v,
    "cloud-controller-manager",
    `cloud-controller-manager, ${healthWords(v, health)}`,
    "",
    rect(b, "card", 12),
    dot(b.x + 18, b.y + b.h / 2, health),
    text(b.x + 31, b.y + b.h / 2 + 5, "t-small t-ink", cut("cloud-controller-manager", b.w - 40, v.size.small)),
  );
}
