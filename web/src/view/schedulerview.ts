// The scheduler view: one decision as a funnel, from the scheduler's own
// account of its cycle: the pod it took, the nodes each filter turned away, the
// points the rest got, the one it chose. And every attempt before it.
import { duration, word } from "../i18n/ui.ts";
import { objectName } from "../i18n/words.ts";
import type { Decision } from "../model/decision.ts";
import { htmlDrawing } from "../panel/html.ts";
import { clockTime } from "../panel/transcript.ts";
import { h, type VNode } from "../stage/node.ts";
import type { KubeEvent } from "../wire/event.ts";
import { instant } from "../wire/instant.ts";
import type { Doings, Moment, View } from "./view.ts";

const LOOK = 20_000;

export class SchedulerView implements View {
  private readonly drawing;

  constructor(root: HTMLElement, doings: Doings) {
    this.drawing = htmlDrawing(root);
    root.addEventListener("click", (ev) => {
      const event = (ev.target as Element).closest("[data-event]");
      if (event) doings.select({ type: "event", seq: Number(event.getAttribute("data-event")) });
    });
  }

  draw(m: Moment): void {
    const e = subject(m);
    this.drawing.draw(
      e ? this.cycle(m, e) : h("p", { key: "none", class: "hint" }, word(m.lang, "noDecision")),
      this.recent(m, e),
    );
  }

  private cycle(m: Moment, e: KubeEvent): VNode {
    const { lang } = m;
    const d = (e.detail ?? {}) as Decision;
    const bound = consequence(m, e);
    return h(
      "section",
      { key: "cycle", class: "cycle" },
      h("h2", null, e.object ? objectName(lang, e.object) : ""),
      h(
        "p",
        { class: "how" },
        [
          clockTime(e.start),
          word(lang, "attemptNo", d.attempt ?? 1),
          e.evidence.id ?? "",
          word(lang, "took", duration(lang, Math.max(0, instant(e.end) - instant(e.start)))),
        ]
          .filter(Boolean)
          .join(" · "),
      ),
      h("ol", { class: "funnel" }, funnel(m, e, d, bound)),
      this.nodes(m, d),
      d.message ? h("p", { class: "note" }, d.message) : null,
    );
  }

  private nodes(m: Moment, d: Decision): VNode {
    const { lang } = m;
    const all = [...(d.nodes ?? [])].sort(
      (a, b) => Number(Boolean(a.rejected)) - Number(Boolean(b.rejected)) || (b.total ?? 0) - (a.total ?? 0),
    );
    const plugins = [...new Set(all.flatMap((n) => Object.keys(n.scores ?? {})))].sort();
    const top = Math.max(1, ...all.map((n) => n.total ?? 0));
    return h(
      "div",
      { key: "nodes", class: "wide-table", tabindex: 0, role: "group", "aria-label": word(lang, "verdicts") },
      h(
        "table",
        { class: "decision scores" },
        h("caption", null, word(lang, "verdicts")),
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            h("th", { scope: "col" }, word(lang, "node")),
            plugins.map((p) => h("th", { key: p, scope: "col", class: "number" }, p)),
            h(
              "th",
              { scope: "col", class: plugins.length ? "number" : "" },
              word(lang, plugins.length ? "total" : "verdict"),
            ),
          ),
        ),
        h(
          "tbody",
          null,
          all.map((n) =>
            h(
              "tr",
              { key: n.name, class: n.name === d.node ? "won" : n.rejected ? "out" : "" },
              h("th", { scope: "row" }, n.name === d.node ? `★ ${n.name}` : n.name),
              n.rejected || plugins.length === 0
                ? h(
                    "td",
                    { colspan: plugins.length + 1 },
                    n.rejected
                      ? h("span", { class: "bad" }, `✕ ${n.rejected.plugin}: ${n.rejected.reason}`)
                      : h("span", null, `✓ ${word(lang, d.feasible === 1 ? "onlyOne" : "passedFilter")}`),
                  )
                : plugins.map((p) => h("td", { key: p, class: "number" }, String(n.scores?.[p] ?? "–"))),
              n.rejected || plugins.length === 0
                ? null
                : h(
                    "td",
                    { class: "total number" },
                    h("meter", { min: 0, max: top, value: n.total ?? 0, "aria-hidden": "true" }),
                    String(n.total ?? "–"),
                  ),
            ),
          ),
        ),
      ),
      plugins.length ? h("p", { class: "hint small" }, word(lang, "weighted")) : null,
    );
  }

  /** Other cycles of the log until the playhead, the newest first: of this pod, then of the rest. */
  private recent(m: Moment, shown: KubeEvent | undefined): VNode {
    const { lang } = m;
    const all = decisions(m).reverse();
    const own = all.filter((e) => shown?.object?.uid && e.object?.uid === shown.object.uid);
    const others = all.filter((e) => !own.includes(e)).slice(0, 40);
    const list = (events: KubeEvent[]) =>
      h(
        "ol",
        { class: "revisions" },
        events.map((e) => {
          const d = (e.detail ?? {}) as Decision;
          return h(
            "li",
            { key: String(e.seq), class: e === shown ? "now" : "" },
            h(
              "button",
              { type: "button", "data-event": e.seq, "aria-current": e === shown ? "true" : undefined },
              h("span", { class: "key-rev" }, clockTime(e.end)),
              h("span", null, e.object?.name ?? ""),
              h(
                "span",
                { class: d.result === "scheduled" ? "" : "bad" },
                d.result === "scheduled" ? `→ ${d.node}` : `✕ ${word(lang, d.result === "error" ? "failed" : "found")}`,
              ),
              h("span", { class: "how" }, word(lang, "attemptNo", d.attempt ?? 1)),
            ),
          );
        }),
      );
    return h(
      "section",
      { key: "recent", class: "cycles" },
      own.length > 0 ? h("h3", null, word(lang, "attemptsOf")) : null,
      own.length > 0 ? list(own) : null,
      others.length > 0 ? h("h3", null, word(lang, "otherCycles")) : null,
      others.length > 0 ? list(others) : null,
    );
  }
}

/** The cycle that is selected, or the one the selection is about, or the newest. */
function subject(m: Moment): KubeEvent | undefined {
  const s = m.selection;
  const selected = s?.type === "event" ? m.log.get(s.seq) : undefined;
  if (selected?.kind === "schedule" && selected.seq <= m.playhead) return selected;
  const pod = s?.type === "object" && s.key.startsWith("pods/") ? s.uid : undefined;
  const all = decisions(m);
  return (pod ? all.findLast((e) => e.object?.uid === pod) : undefined) ?? all.at(-1);
}

function decisions(m: Moment): KubeEvent[] {
  return m.log.range(Math.max(m.log.first, m.playhead - LOOK), m.playhead).filter((e) => e.kind === "schedule");
}

/** The binding that carried a decision out. */
function consequence(m: Moment, decision: KubeEvent): KubeEvent | undefined {
  return m.log
    .range(decision.seq + 1, Math.min(m.playhead, decision.seq + 2000))
    .find((e) => e.kind === "request" && e.causes?.some((c) => c.seq === decision.seq && c.how === "binding"));
}

function funnel(m: Moment, e: KubeEvent, d: Decision, bound: KubeEvent | undefined): VNode[] {
  const { lang } = m;
  const nodes = d.nodes ?? [];
  const seen = d.evaluated ?? nodes.length;
  const rejected = nodes.filter((n) => n.rejected);
  const scored = nodes.some((n) => n.scores);
  const told = (e.causes ?? []).map((c) => m.log.get(c.seq)).find((c) => c?.kind === "watch");
  const points = (...names: string[]) => (d.steps ?? []).filter((s) => names.includes(s.point));
  const time = (...names: string[]) => {
    const mine = points(...names);
    if (mine.length === 0) return "";
    const ms = mine.reduce((sum, s) => sum + Math.max(0, instant(s.end) - instant(s.start)), 0);
    return duration(lang, ms);
  };
  const stage = (name: string, says: string, took: string, state: "done" | "none" | "bad", event?: KubeEvent) =>
    h(
      "li",
      { key: name, class: `funnel-step is-${state}` },
      h("span", { class: "funnel-name" }, name),
      event
        ? h("button", { type: "button", class: "link", "data-event": event.seq }, says)
        : h("span", { class: "funnel-says" }, says),
      h("span", { class: "how" }, took),
    );
  const pre = (d.preFilter ?? []).map((p) => `${p.plugin}: ${p.reason}`);
  const filters = [
    word(lang, "filterSays", `${d.feasible ?? 0} / ${seen}`),
    ...pre,
    rejected.length ? `✕ ${count(rejected.map((n) => n.rejected!.plugin))}` : "",
    d.nominated ? word(lang, "nominated", d.nominated) : "",
  ]
    .filter(Boolean)
    .join(" · ");
  const failed = d.result !== "scheduled";
  return [
    stage(
      word(lang, "queue"),
      told ? word(lang, "queueSays", told.revision ?? "") : word(lang, "queueAgain"),
      told ? word(lang, "waited", duration(lang, Math.max(0, instant(e.start) - instant(told.end)))) : "",
      "done",
      told,
    ),
    stage(
      word(lang, "filter"),
      filters,
      time("PreFilter", "Filter", "PostFilter"),
      (d.feasible ?? 0) > 0 ? "done" : "bad",
    ),
    stage(
      word(lang, "score"),
      scored
        ? word(lang, "scoreSays", nodes.filter((n) => n.scores).length)
        : word(lang, d.feasible === 1 ? "onlyOne" : "notScored"),
      time("PreScore", "Score"),
      scored ? "done" : "none",
    ),
    stage(word(lang, "reserve"), failed ? "—" : String(d.node), time("Reserve", "Permit"), failed ? "none" : "done"),
    stage(
      word(lang, "bind"),
      bound ? word(lang, "bindSays", bound.code ?? 0) : failed ? word(lang, "notBound") : word(lang, "notYetBound"),
      [time("PreBind"), bound ? duration(lang, Math.max(0, instant(bound.end) - instant(bound.start))) : ""]
        .filter(Boolean)
        .join(" + "),
      bound ? ((bound.code ?? 0) < 400 ? "done" : "bad") : "none",
      bound,
    ),
  ];
}

/** "NodeResourcesFit 3, TaintToleration" */
function count(plugins: string[]): string {
  const by = new Map<string, number>();
  for (const p of plugins) by.set(p, (by.get(p) ?? 0) + 1);
  return [...by].map(([p, n]) => (n > 1 ? `${p} ${n}` : p)).join(", ");
}
