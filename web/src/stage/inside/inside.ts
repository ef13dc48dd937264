// What is inside a component, in place of the whole picture: for the event at
// the playhead, and from nothing that came after it.
import { word } from "../../i18n/ui.ts";
import { boot, dot } from "../health.ts";
import { widthOf } from "../measure.ts";
import { h, type VNode } from "../node.ts";
import { rect, text, type View } from "../part.ts";
import { box } from "../way.ts";
import type { Zoom } from "../zoom.ts";
import { apiserver } from "./apiserver.ts";
import { bank } from "./bank.ts";
import { decision } from "./decision.ts";
import { kubelet } from "./kubelet.ts";
import { revisions } from "./revisions.ts";
import { runtime } from "./runtime.ts";
import type { Sheet } from "./sheet.ts";

export type Inside = Extract<Zoom, { what: "inside" }>;

const rooms: Record<string, (s: Sheet, node: string) => VNode[]> = {
  "kube-apiserver": apiserver,
  etcd: revisions,
  "kube-controller-manager": bank,
  "kube-scheduler": decision,
  kubelet,
  runtime,
};

export function inside(v: View, z: Inside): VNode[] {
  const b = v.geometry.inside;
  const wide = v.geometry.shape === "wide";
  const name = z.node ? `${z.id} · ${z.node}` : z.id;
  const health = v.state.components.get(z.node ? `kubelet:${z.node}` : z.id);
  const back = `← ${word(v.lang, wide ? "backToStage" : "backShort")}`;
  const w = widthOf(back, v.size.small) + 28;
  const pad = wide ? 30 : 18;
  const sheet: Sheet = { v, wide, b: box(b.x + pad, b.y + 62, b.w - 2 * pad, b.h - 74) };
  return [
    h(
      "g",
      { key: `inside ${z.id} ${z.node ?? ""}`, class: "inside", role: "group", "aria-label": name },
      rect(b, "card inside-card", 16),
      dot(b.x + pad + 2, b.y + 31, health),
      text(b.x + pad + 16, b.y + 37, "t-title", name),
      boot(
        v,
        health,
        b.x + pad + 34 + widthOf(name, v.size.title),
        b.y + 37,
        b.w - 2 * pad - w - widthOf(name, v.size.title) - 40,
      ),
      ...(rooms[z.id]?.(sheet, z.node ?? "") ?? []),
    ),
    h(
      "g",
      { key: "back", class: "unit back", "data-zoom": "", role: "button", tabindex: 0, "aria-label": back },
      rect(box(b.x + b.w - w - 14, b.y + 14, w, 32), "unit-box", 16),
      text(b.x + b.w - w / 2 - 14, b.y + 35, "t-unit", back, "middle"),
    ),
  ];
}
