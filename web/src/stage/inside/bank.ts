// Inside the kube-controller-manager: every controller that has changed
// something, what it did last, and how often it asked.
import { word } from "../../i18n/ui.ts";
import { actorOf } from "../../model/actor.ts";
import { isRead } from "../../model/lane.ts";
import type { ControllerView } from "../../model/state.ts";
import type { KubeEvent } from "../../wire/event.ts";
import { cut } from "../measure.ts";
import { h, type VNode } from "../node.ts";
import { rect, small, text, thousands, type View } from "../part.ts";
import { labelOf } from "../tokens.ts";
import { box } from "../way.ts";
import type { Sheet } from "./sheet.ts";

export function bank({ v, b, wide }: Sheet): VNode[] {
  const { state: s, lang } = v;
  const all = [...s.controllers.values()].sort((x, y) => x.name.localeCompare(y.name));
  const columns = wide ? 3 : 1;
  const gap = 12;
  const w = (b.w - gap * (columns - 1)) / columns;
  const top = b.y + 40;
  // As many of the latest requests of each as there is room for.
  const rows = Math.ceil(all.length / columns);
  const acts = rows * (66 + 2 * 22 + gap) <= b.y + b.h - top ? 3 : 1;
  const height = 44 + acts * 22;
  const room = columns * Math.floor((b.y + b.h - top + gap) / (height + gap));
  const actor = actorOf(v.event(v.focus)?.from ?? "");
  const most = Math.max(1, ...all.map((c) => c.writes));
  const shown = all.slice(0, room);
  const others = s.accounts.size - all.length;
  const out: VNode[] = [
    small(
      v,
      b.x,
      b.y + 22,
      "",
      [word(lang, "controllersActed", all.length), others > 0 && word(lang, "controllersRead", others)]
        .filter(Boolean)
        .join(" · "),
      b.w,
    ),
  ];
  shown.forEach((c, i) => {
    const at = box(b.x + (i % columns) * (w + gap), top + Math.floor(i / columns) * (height + gap), w, height);
    const now = actor.role === "controllers" && actor.name === c.name;
    const state = now ? "now" : c.seq >= v.storyRoot ? "awake" : "";
    const times = word(lang, c.writes === 1 ? "requestOf" : "requestsOf", thousands(c.writes));
    out.push(
      h(
        "g",
        {
          key: `bank ${c.name}`,
          class: `unit bank ${state}`,
          "data-part": c.name,
          role: "button",
          tabindex: 0,
          "aria-label": `${c.name}, ${times}`,
        },
        rect(at, "unit-box", 10),
        text(at.x + 14, at.y + 24, "t-unit t-strong", cut(c.name.replace(/-controller$/, ""), w - 128, v.size.small)),
        small(v, at.x + w - 14, at.y + 24, "", times, 110, "end"),
        latest(v, c, acts).map((e, k) =>
          small(v, at.x + 14, at.y + 46 + k * 22, k === 0 && !now ? "t-ink" : "", labelOf(e), w - 28),
        ),
        h("rect", {
          x: at.x + 14,
          y: at.y + height - 12,
          width: Math.max(3, ((w - 28) * c.writes) / most),
          height: 4,
          rx: 2,
          class: "bar",
        }),
      ),
    );
  });
  if (shown.length < all.length)
    out.push(small(v, b.x + b.w, b.y + 22, "", word(lang, "moreOf", all.length - shown.length), 120, "end"));
  if (all.length === 0) out.push(small(v, b.x, top + 20, "", word(lang, "idleControllers"), b.w));
  return out;
}

/** A controller's newest requests that changed something, or tried to. */
function latest(v: View, c: ControllerView, most: number): KubeEvent[] {
  const newest = v.event(c.seq);
  if (!newest || most === 1) return newest ? [newest] : [];
  return v.recent(
    (e) => e.kind === "request" && e.from === newest.from && !isRead(e) && !quiet.has(e.object?.resource ?? ""),
    most,
  );
}

const quiet = new Set(["events", "leases"]);
