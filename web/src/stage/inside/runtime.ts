// Inside a container runtime: the containers of its node, as its kubelet
// reported them last, and the calls it got.
import { shortTime, word } from "../../i18n/ui.ts";
import { type PlacedPod, podsOn } from "../../model/state.ts";
import { took } from "../../wire/instant.ts";
import { h, type VNode } from "../node.ts";
import { small, type View } from "../part.ts";
import { box } from "../way.ts";
import { callSays } from "./kubelet.ts";
import { heading, row, type Sheet } from "./sheet.ts";

export function runtime(sheet: Sheet, node: string): VNode[] {
  const { v, b, wide } = sheet;
  const left = { v, wide, b: box(b.x, b.y, wide ? b.w * 0.56 : b.w, wide ? b.h : b.h * 0.55) };
  const right = wide
    ? { v, wide, b: box(b.x + b.w * 0.6, b.y, b.w * 0.4, b.h) }
    : { v, wide, b: box(b.x, b.y + b.h * 0.58, b.w, b.h * 0.42) };
  return [...containers(left, node), ...calls(right, node)];
}

interface Status {
  name: string;
  image?: string;
  containerID?: string;
  restartCount?: number;
}

function containers(sheet: Sheet, node: string): VNode[] {
  const { v, b } = sheet;
  // What was written last comes first: that is where something happens.
  const pods = podsOn(v.state, node).toSorted((x, y) => y.seq - x.seq || x.slot - y.slot);
  const all = pods.flatMap((p) => p.containers.map((c) => ({ p, c, status: statusOf(v, p, c.name) })));
  const height = 30;
  const top = b.y + 38;
  const room = Math.floor((b.y + b.h - top) / height);
  const shown = all.slice(0, all.length > room ? room - 1 : room);
  const ours = v.state.nodes.get(node)?.runtime.startsWith("kubestage-programs://");
  const out: VNode[] = [
    heading(b.x, b.y + 22, word(v.lang, "containersOfNode", all.length)),
    ours ? small(v, b.x + b.w, b.y + 22, "t-warn", word(v.lang, "standIn"), 190, "end") : null,
    ...shown.map(({ p, c, status }, i) => {
      const y = top + i * height;
      const state =
        c.reason ||
        word(
          v.lang,
          c.look === "waiting" ? "cWaiting" : c.look === "done" || c.look === "failed" ? "cEnded" : "cRunning",
        );
      return row(
        sheet,
        y,
        { key: `${p.uid} ${c.name}`, height, seq: p.seq },
        [
          { x: 22, w: b.w * 0.44 - 22 },
          { x: b.w * 0.46, w: b.w * 0.3 },
          { x: b.w * 0.78, w: b.w * 0.22, end: true },
        ],
        [
          { s: `${p.name} · ${c.name}`, cls: "t-ink" },
          status?.image ?? "",
          `${state}${c.restarts ? ` · ${c.restarts}↻` : ""}`,
        ],
        h("rect", { x: b.x, y: y + 8, width: 12, height: 12, rx: 3, class: `container c-${c.look}` }),
      );
    }),
  ].filter((n) => n !== null);
  if (shown.length < all.length)
    out.push(
      small(v, b.x, top + shown.length * height + 20, "", word(v.lang, "moreOf", all.length - shown.length), b.w),
    );
  return out;
}

function statusOf(v: View, p: PlacedPod, name: string): Status | undefined {
  const value = v.state.objects.get(p.key)?.value as { status?: { containerStatuses?: Status[] } } | undefined;
  return value?.status?.containerStatuses?.find((s) => s.name === name);
}

function calls(sheet: Sheet, node: string): VNode[] {
  const { v, b } = sheet;
  const height = 48;
  const top = b.y + 38;
  const room = Math.floor((b.y + b.h - top) / height);
  const id = `runtime:${node}`;
  const all = v.recent((e) => e.kind === "cri" && (e.to === id || e.from === id), room);
  return [
    heading(b.x, b.y + 22, word(v.lang, "callsLately")),
    ...all.map((e, i) =>
      row(
        sheet,
        top + i * height,
        { key: `call ${e.seq}`, height, seq: e.seq, cls: e.seq === v.focus ? "now" : "" },
        [
          { x: 0, w: b.w - 90 },
          { x: b.w - 86, w: 86, end: true },
          { x: 0, w: b.w, dy: 20 },
        ],
        [
          { s: e.verb, cls: "t-ink t-strong" },
          took(e) > 0 ? shortTime(took(e)) : "",
          [e.object?.name, callSays(e)].filter(Boolean).join(" · "),
        ],
      ),
    ),
    ...(all.length ? [] : [small(v, b.x, top + 20, "", word(v.lang, "noneRecorded"), b.w)]),
  ];
}
