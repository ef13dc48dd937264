// Inside etcd: the newest revisions, what each of them did to which key, and
// who had asked the kube-apiserver for it.
import { word } from "../../i18n/ui.ts";
import { actorName } from "../../i18n/words.ts";
import { actorOf } from "../../model/actor.ts";
import type { LedgerLine } from "../../model/state.ts";
import type { VNode } from "../node.ts";
import { small, text, thousands, type View } from "../part.ts";
import { type Column, row, type Said, type Sheet } from "./sheet.ts";

export function revisions(sheet: Sheet): VNode[] {
  const { v, b, wide } = sheet;
  const { state: s } = v;
  const height = wide ? 27 : 47;
  const columns: Column[] = wide
    ? [
        { x: 0, w: 96 },
        { x: 104, w: 70 },
        { x: 180, w: 380 },
        { x: 566, w: 84, end: true },
        { x: 656, w: 76, end: true },
        { x: 752, w: b.w - 752 },
      ]
    : [
        { x: 0, w: 96 },
        { x: 104, w: 70 },
        { x: 0, w: b.w, dy: 20 },
        { x: 0, w: 0 },
        { x: 0, w: 0 },
        { x: 180, w: b.w - 180, end: true },
      ];
  const top = b.y + (wide ? 62 : 44);
  const room = Math.floor((b.y + b.h - top) / height);
  const heads = ["revision", "did", "key", "version", "size", "askedBy"] as const;
  const out: VNode[] = [
    text(b.x, b.y + 22, "t-head t-good", `${word(v.lang, "revisionLong")} ${s.revision || "0"}`),
    small(v, b.x + b.w, b.y + 22, "", word(v.lang, "objectsKnown", thousands(s.objects.size)), b.w - 200, "end"),
  ];
  if (wide)
    columns.forEach((c, i) => {
      const at = b.x + c.x + (c.end ? c.w : 0);
      out.push(small(v, at, top - 9, "t-strong", word(v.lang, heads[i]!), c.w, c.end ? "end" : undefined));
    });
  s.ledger.slice(0, room).forEach((l, i) => {
    const now = v.event(v.focus)?.kind === "etcd" && l.seq === v.focus;
    out.push(
      row(
        sheet,
        top + i * height,
        {
          key: `rev ${l.oldest.seq}`,
          height,
          cls: [now && "now", l.quiet && "faint"].filter(Boolean).join(" "),
          seq: l.seq,
        },
        columns,
        line(v, l),
      ),
    );
  });
  if (s.ledger.length === 0) out.push(small(v, b.x, top + 20, "", word(v.lang, "emptyLedger"), b.w));
  return out;
}

function line(v: View, l: LedgerLine): (Said | string | null)[] {
  const several = l.count > 1;
  const e = v.event(l.seq);
  const revision = several ? `${l.oldest.revision}–${l.revision}` : l.revision;
  if (several) return [{ s: revision, mono: true }, null, word(v.lang, "quietWrites", l.count), null, null, null];
  const version = Number(e?.detail?.version ?? 0);
  const did = l.verb === "delete" ? "didDelete" : version === 1 ? "didCreate" : "didChange";
  const asked = e?.causes?.map((c) => v.event(c.seq)).find((c) => c?.kind === "request");
  return [
    { s: revision, mono: true, cls: "t-rev" },
    { s: word(v.lang, did), cls: `deed-text deed-${did.slice(3).toLowerCase()}` },
    { s: l.key, mono: true, cls: l.verb === "delete" ? "t-struck" : "" },
    version ? word(v.lang, "versionN", version) : null,
    e?.detail?.bytes ? `${thousands(Number(e.detail.bytes))} B` : null,
    asked ? actorName(v.lang, actorOf(asked.from), String(asked.detail?.userAgent ?? "")) : null,
  ];
}
