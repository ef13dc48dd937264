// Inside a kubelet: the pods of its node, and for the one it works at, what it
// has the runtime do, what its probes found, and which volumes it prepared.
import { shortTime, word } from "../../i18n/ui.ts";
import { actorOf } from "../../model/actor.ts";
import { type PlacedPod, podsOn } from "../../model/state.ts";
import type { KubeEvent } from "../../wire/event.ts";
import { took } from "../../wire/instant.ts";
import type { VNode } from "../node.ts";
import { small, text, type View } from "../part.ts";
import { phaseWord, podMark } from "../pods.ts";
import { box } from "../way.ts";
import { heading, row, type Sheet } from "./sheet.ts";

export function kubelet(sheet: Sheet, node: string): VNode[] {
  const { v, b, wide } = sheet;
  const pods = podsOn(v.state, node);
  if (pods.length === 0) return [small(v, b.x, b.y + 24, "", word(v.lang, "noPods"), b.w)];
  const pod = podAtWork(v, node, pods);
  const left = { v, wide, b: box(b.x, b.y, wide ? 300 : b.w, wide ? b.h : 260) };
  const right = wide
    ? { v, wide, b: box(b.x + 340, b.y, b.w - 340, b.h) }
    : { v, wide, b: box(b.x, b.y + 280, b.w, b.h - 280) };
  return [...podList(left, pods, pod), ...sync(right, pod)];
}

/** The pod of the newest event that the kubelet had a part in. */
function podAtWork(v: View, node: string, pods: readonly PlacedPod[]): PlacedPod {
  const byUid = new Map(pods.map((p) => [p.uid, p]));
  const [e] = v.recent(
    (x) =>
      x.object?.uid !== undefined &&
      byUid.has(x.object.uid) &&
      (actorOf(x.from).node === node || actorOf(x.to ?? "").node === node),
    1,
  );
  return byUid.get(e?.object?.uid ?? "") ?? pods[0]!;
}

function podList(sheet: Sheet, pods: readonly PlacedPod[], at: PlacedPod): VNode[] {
  const { v, b } = sheet;
  const height = 28;
  const top = b.y + 38;
  const room = Math.floor((b.y + b.h - top) / height);
  // The one at work is always among them.
  const i = pods.indexOf(at);
  const first = Math.max(0, Math.min(i - Math.floor(room / 2), pods.length - room));
  const shown = pods.slice(first, first + room);
  return [
    heading(b.x, b.y + 22, word(v.lang, "podsOfNode", pods.length)),
    ...shown.map((p, k) =>
      row(
        sheet,
        top + k * height,
        { key: `pod ${p.uid}`, height, cls: p === at ? "now" : "" },
        [
          { x: 24, w: b.w - 124 },
          { x: b.w - 96, w: 96, end: true },
        ],
        [{ s: p.name, cls: "t-ink" }, phaseWord(p)],
        podMark(p.phase, b.x + 8, top + k * height + 13, 6),
      ),
    ),
  ];
}

function sync(sheet: Sheet, pod: PlacedPod): VNode[] {
  const { v, b } = sheet;
  const value = (v.state.objects.get(pod.key)?.value ?? {}) as PodObject;
  const calls = v.recent((e) => e.kind === "cri" && e.object?.uid === pod.uid, 8).reverse();
  const probes = latestProbes(v, pod);
  const out: VNode[] = [
    text(b.x, b.y + 22, "t-head", `pod/${pod.name}`),
    small(v, b.x + b.w, b.y + 22, "", phaseWord(pod), 140, "end"),
  ];
  let y = b.y + 54;
  const section = (title: string, rows: [string, string, string, KubeEvent?][], none: string) => {
    out.push(small(v, b.x, y, "t-strong", title, b.w));
    y += 10;
    if (rows.length === 0) {
      out.push(small(v, b.x, y + 18, "", none, b.w));
      y += 26;
    }
    for (const [name, says, side, e] of rows) {
      out.push(
        row(
          sheet,
          y,
          {
            key: `${title} ${name} ${e?.seq ?? says}`,
            height: 27,
            seq: e?.seq,
            cls: e && e.seq === v.focus ? "now" : "",
          },
          [
            { x: 0, w: b.w * 0.37 },
            { x: b.w * 0.38, w: b.w * 0.36 },
            { x: b.w * 0.75, w: b.w * 0.25, end: true },
          ],
          [{ s: name, cls: "t-ink" }, says, side],
        ),
      );
      y += 27;
    }
    y += 24;
  };
  section(
    word(v.lang, "criCalls"),
    calls.map((e) => [e.verb, callSays(e), took(e) > 0 ? shortTime(took(e)) : "", e]),
    word(v.lang, "noneRecorded"),
  );
  section(
    word(v.lang, "probesOfPod"),
    probes.map((e) => [
      `${[e.detail?.probes].flat().join(", ")} · ${e.verb}`,
      String(e.detail?.target ?? ""),
      String(e.detail?.result ?? ""),
      e,
    ]),
    word(
      v.lang,
      (value.spec?.containers ?? []).some((c) => c.livenessProbe || c.readinessProbe || c.startupProbe)
        ? "noneRecorded"
        : "noProbes",
    ),
  );
  section(
    word(v.lang, "volumesOfPod"),
    (value.spec?.volumes ?? [])
      .slice(0, 4)
      .map(({ name, ...kind }) => [name, Object.keys(kind).join(", "), mounts(value, name)]),
    word(v.lang, "noVolumes"),
  );
  return out;
}

interface PodObject {
  spec?: {
    volumes?: ({ name: string } & Record<string, unknown>)[];
    containers?: {
      name: string;
      livenessProbe?: unknown;
      readinessProbe?: unknown;
      startupProbe?: unknown;
      volumeMounts?: { name: string; mountPath: string }[];
    }[];
  };
}

function mounts(value: PodObject, volume: string): string {
  const paths = (value.spec?.containers ?? []).flatMap((c) =>
    (c.volumeMounts ?? []).filter((m) => m.name === volume).map((m) => m.mountPath),
  );
  return [...new Set(paths)].map((p) => (p.length > 20 ? `…${p.slice(-19)}` : p)).join(", ");
}

export function callSays(e: KubeEvent): string {
  const d = e.detail ?? {};
  return [d.containerName, d.image, d.ip, d.exitCode !== undefined && `exit ${d.exitCode}`, d.reason, d.error]
    .filter(Boolean)
    .join(" · ");
}

/** The newest result of each probe of a pod. */
function latestProbes(v: View, pod: PlacedPod): KubeEvent[] {
  const seen = new Set<string>();
  return v
    .recent((e) => {
      if (e.kind !== "probe" || e.object?.uid !== pod.uid) return false;
      const key = `${e.verb} ${e.detail?.target} ${e.detail?.probes}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    }, 4)
    .reverse();
}
