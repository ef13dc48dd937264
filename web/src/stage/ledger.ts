// etcd: the ledger, its newest lines first.
import { word } from "../i18n/ui.ts";
import type { ComponentView } from "../model/state.ts";
import { boot, dot, healthWords, troubled } from "./health.ts";
import { cut, widthOf } from "./measure.ts";
import { h, type VNode } from "./node.ts";
import { opener, part, rect, small, text, type View } from "./part.ts";
import { sameAsBefore } from "./same.ts";

export function ledger(v: View): VNode {
  const { state: s } = v;
  const health = s.components.get("etcd");
  const written = v.event(v.focus)?.kind === "etcd" ? v.focus : 0;
  const of = [s.ledger, s.revision, health, s.links.get("etcd"), written];
  return sameAsBefore(v, "etcd", of, () => draw(v, health, written));
}

/** written is the write that happens now. */
function draw(v: View, health: ComponentView | undefined, written: number): VNode {
  const { geometry: g, state: s, lang } = v;
  const b = g.etcd;
  const row = 26;
  const top = b.y + 40;
  const rows = s.ledger.slice(0, Math.floor((b.h - 46) / row)).map((l, i) => {
    const y = top + i * row;
    const several = l.count > 1;
    const revision = several ? `${l.oldest.revision}–${l.revision}` : l.revision;
    const w = widthOf(revision, v.size.mono, true) + 10;
    const key = several ? word(lang, "quietWrites", l.count) : l.key.replace(/^\/registry\//, "");
    const now = l.seq === written;
    const struck = l.verb === "delete" && !several;
    return h(
      "g",
      // A run of quiet writes grows at its newer end: its place is that of its oldest line.
      {
        key: `rev ${l.oldest.seq}`,
        class: `row ${now ? "now" : ""} ${l.quiet ? "faint" : ""}`.trim(),
        "data-seq": l.seq,
      },
      h("rect", { x: b.x + 8, y, width: b.w - 16, height: row - 2, rx: 6, class: "row-box" }),
      text(b.x + 16, y + 17, "t-mono t-rev", revision),
      text(
        b.x + 16 + w,
        y + 17,
        several ? "t-small" : struck ? "t-mono t-struck" : "t-mono",
        cut(key, b.w - 28 - w, several ? v.size.small : v.size.mono, !several),
      ),
    );
  });
  return h(
    "g",
    { key: "etcd-group" },
    part(
      v,
      "etcd",
      `etcd, ${healthWords(v, health)}, ${word(lang, "revision")} ${s.revision || "0"}`,
      `etcd ${written ? "now" : ""}`,
      rect(b, "card etcd-card", 14),
      dot(b.x + 20, b.y + 21, health),
      text(b.x + 34, b.y + 27, "t-title", "etcd"),
      s.revision && !troubled(v, health)
        ? text(b.x + b.w - 42, b.y + 27, "t-head t-good", `${word(lang, "revision")} ${s.revision}`, "end")
        : boot(v, health, b.x + 84, b.y + 27, b.w - 124),
      rows.length ? rows : small(v, b.x + 16, top + 18, "", word(lang, "emptyLedger"), b.w - 32),
    ),
    opener("etcd", b.x + b.w - 22, b.y + 21, word(lang, "lookInto", "etcd")),
  );
}
