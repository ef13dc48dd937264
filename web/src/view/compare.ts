// Two stories in numbers, side by side: how long each took and what it took.
import { duration, type Word, word } from "../i18n/ui.ts";
import { keyOf } from "../model/ledger.ts";
import type { PodValue } from "../model/pod.ts";
import type { Story } from "../model/story.ts";
import { h, type VNode } from "../stage/node.ts";
import type { KubeEvent } from "../wire/event.ts";
import type { Moment } from "./view.ts";

export function comparison(m: Moment, a: Story, b: Story, titleOf: (root: number) => string): VNode[] {
  const { lang } = m;
  const event = (seq: number) => m.log.get(seq);
  const before = (e: KubeEvent) => m.ledger.writes(keyOf(e), e.seq - 1).at(-1);
  const [pa, pb] = [podsOf(a, event, before), podsOf(b, event, before)];
  const rows: [Word, string, string][] = [
    ["tookTime", duration(lang, a.to - a.from), duration(lang, b.to - b.from)],
    ["countEvents", String(a.events.length), String(b.events.length)],
    ...(["requests", "writes", "notifications", "decisions", "calls", "objects"] as const).map(
      (c): [Word, string, string] => [`count_${c}`, String(a.counts[c]), String(b.counts[c])],
    ),
    ["podsMade", String(pa.made), String(pb.made)],
    ["podsGone", String(pa.gone), String(pb.gone)],
    ["podsMost", signed(pa.most), signed(pb.most)],
    ["podsLeastReady", signed(pa.leastReady), signed(pb.leastReady)],
  ];
  const line = (letter: string, story: Story, value: (row: (typeof rows)[number]) => string) =>
    h(
      "tr",
      { key: letter },
      h("th", { scope: "row" }, `${letter} · ${titleOf(story.root)}`),
      rows.map((r) => h("td", { key: r[0], class: r[1] === r[2] ? "" : "differs" }, value(r))),
    );
  return [
    h(
      "table",
      { key: "compare", class: "decision compare-table" },
      h("caption", { class: "unseen" }, word(lang, "compareTitle")),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          h("td", null),
          rows.map(([w]) => h("th", { key: w, scope: "col" }, word(lang, w))),
        ),
      ),
      h(
        "tbody",
        null,
        line("A", a, (r) => r[1]),
        line("B", b, (r) => r[2]),
      ),
    ),
    h("p", { key: "against", class: "hint small" }, word(lang, "podsAgainst")),
  ];
}

const signed = (n: number) => (n > 0 ? `+${n}` : n < 0 ? `−${-n}` : "0");

/**
 * What a story did to the number of pods, against how many there were when it
 * began: the most at once, and the fewest that were ready. A pod that is on its way out
 * does not count, as it does not for the controllers, to whom maxSurge and maxUnavailable speak.
 */
export function podsOf(
  story: Story,
  event: (seq: number) => KubeEvent | undefined,
  before: (write: KubeEvent) => KubeEvent | undefined,
) {
  const count = { made: 0, gone: 0, most: 0, leastReady: 0 };
  let [active, ready] = [0, 0];
  for (const seq of story.events) {
    const e = event(seq);
    if (e?.kind !== "etcd" || e.object?.resource !== "pods" || e.object.group) continue;
    const now = e.verb === "delete" ? undefined : e;
    const was = e.detail?.version === 1 ? undefined : before(e);
    if (!now) count.gone++;
    else if (e.detail?.version === 1) count.made++;
    active += Number(isActive(now)) - Number(isActive(was));
    ready += Number(isReady(now)) - Number(isReady(was));
    count.most = Math.max(count.most, active);
    count.leastReady = Math.min(count.leastReady, ready);
  }
  return count;
}

const podIn = (e: KubeEvent | undefined) => e?.detail?.value as PodValue | undefined;

/** As k8s.io/kubernetes v1.36.3, pkg/controller/controller_utils.go:1093 has it. */
function isActive(e: KubeEvent | undefined): boolean {
  const pod = podIn(e);
  return pod !== undefined && !pod.metadata?.deletionTimestamp && !/^(Succeeded|Failed)$/.test(pod.status?.phase ?? "");
}

function isReady(e: KubeEvent | undefined): boolean {
  return isActive(e) && (podIn(e)?.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") ?? false);
}
