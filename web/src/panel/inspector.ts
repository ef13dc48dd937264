// The inspector: what was chosen, in full. For an event: what, who, when,
// why, what followed, and the event itself as the server sent it.
import type { Lang, Selection } from "../app.ts";
import { caption, evidenceWords } from "../i18n/captions.ts";
import { pick } from "../i18n/lang.ts";
import { duration, word } from "../i18n/ui.ts";
import { codeWords, kindName, stepName } from "../i18n/words.ts";
import { actorOf } from "../model/actor.ts";
import type { Decision } from "../model/decision.ts";
import type { History } from "../model/history.ts";
import { pluginsOf, type Step, stepsOf } from "../model/span.ts";
import type { ClusterState } from "../model/state.ts";
import { upstream, VERSION } from "../model/upstream.ts";
import { type Child, h, type VNode } from "../stage/node.ts";
import { phaseWord } from "../stage/pods.ts";
import { type KubeEvent, objectKey } from "../wire/event.ts";
import { took } from "../wire/instant.ts";
import type { EventLog } from "../wire/log.ts";
import { aboutLine } from "./about.ts";
import type { Controls } from "./controls.ts";
import { htmlDrawing } from "./html.ts";
import { componentOf, partWords } from "./parts.ts";
import { clockTime } from "./transcript.ts";

const howWords: Record<string, readonly [string, string]> = {
  auditID: ["same audit ID", "같은 감사 ID"],
  revision: ["same revision", "같은 리비전"],
  object: ["same object, inside the request's time", "같은 오브젝트, 요청이 걸린 시간 안"],
  binding: ["the decision it carries out", "이 결정을 실행한 것"],
  uid: ["same object (uid)", "같은 오브젝트(uid)"],
  ownerReference: ["its owner", "소유자"],
  process: ["same process", "같은 프로세스"],
  version: ["the version it had been told", "전해 들은 그 버전"],
  delivery: ["the newest it had been told", "가장 최근에 전해 들은 것"],
  step: ["its own step before", "스스로 한 앞 단계"],
  report: ["what the Event tells of", "이벤트가 말하는 일"],
  absence: ["what did not come any more", "더는 오지 않은 것"],
  podSandbox: ["same pod sandbox", "같은 파드 샌드박스"],
};

/** A chain of causes that is shown without being asked for. */
const OPEN = 14;

export class Inspector {
  private readonly drawing;
  private last = "";

  constructor(
    root: HTMLElement,
    private readonly lang: Lang,
    private readonly log: EventLog,
    private readonly history: History,
    private readonly controls: Controls,
    on: { choose(s: Selection): void; seek(seq: number): void },
  ) {
    this.drawing = htmlDrawing(root);
    root.addEventListener("click", (ev) => {
      const target = ev.target as Element;
      const event = target.closest("[data-event]");
      const moment = target.closest("[data-moment]");
      if (this.controls.click(target)) return;
      if (event) on.choose({ type: "event", seq: Number(event.getAttribute("data-event")) });
      else if (moment) on.seek(Number(moment.getAttribute("data-moment")));
    });
  }

  draw(selection: Selection | null, playhead: number): void {
    const more =
      selection?.type === "event"
        ? `${this.effects(selection.seq).length} ${this.history.span(selection.seq)?.seq}`
        : `${playhead} ${this.controls.key}`;
    const key = `${JSON.stringify(selection)} ${more}`;
    if (key === this.last) return;
    this.last = key;
    this.drawing.draw(...this.content(selection, playhead));
  }

  private content(selection: Selection | null, playhead: number): VNode[] {
    const { lang } = this;
    if (!selection) return [h("p", { key: "none", class: "hint" }, word(lang, "nothingSelected"))];
    if (selection.type === "event") {
      const e = this.log.get(selection.seq);
      return e ? this.event(e) : [h("p", { key: "none", class: "hint" }, word(lang, "nothingSelected"))];
    }
    const state = this.history.at(playhead);
    return selection.type === "object" ? this.object(selection.key, state) : this.part(selection.id, state);
  }

  /* An event */

  private event(e: KubeEvent): VNode[] {
    const { lang } = this;
    const d = e.detail ?? {};
    const who: Child[] = [mono(e.from)];
    if (e.to) who.push(" → ", mono(e.to));
    const facts: VNode[] = [
      term(
        word(lang, "what"),
        h(
          "span",
          null,
          `${e.kind} · ${e.verb}${e.code ? ` · ${e.kind === "request" ? codeWords(e.code) : e.code}` : ""}`,
        ),
        e.object ? h("span", { class: "mono block" }, this.path(e)) : null,
      ),
      term(word(lang, "who"), h("span", null, ...who), ...this.whoMore(e)),
      term(
        word(lang, "when"),
        `${clockTime(e.start)}${took(e) > 0 ? ` · ${word(lang, "took", duration(lang, took(e)))}` : ""}`,
      ),
    ];
    if (d.reason && (d.decision === "allow" || d.decision === "forbid")) {
      facts.push(
        term(word(lang, d.decision === "allow" ? "because" : "refusedBecause"), String(d.reason), this.rule(e)),
      );
    }
    if (
      e.kind === "request" &&
      typeof d.message === "string" &&
      d.message &&
      !(d.decision === "forbid" && d.reason === d.message)
    )
      facts.push(term(word(lang, "refusedBecause"), d.message));
    if (d.standIn) facts.push(term("", h("span", { class: "note" }, `${word(lang, "emulated")} (${d.standIn})`)));
    facts.push(
      term(
        word(lang, "how"),
        evidenceWords(lang, e),
        Array.isArray(d.unsure) ? h("span", { class: "block note" }, word(lang, "unsure", d.unsure.join(", "))) : null,
      ),
    );
    const causes = (e.causes ?? [])
      .map((c) => ({ e: this.log.get(c.seq), how: c.how }))
      .filter((c) => c.e !== undefined);
    const effects = this.effects(e.seq);
    const chain = this.chain(e);
    return [
      h("h2", { key: "title", class: "inspector-title" }, this.say(e)),
      h(
        "p",
        { key: "go" },
        h("button", { type: "button", class: "small-button", "data-moment": e.seq }, word(lang, "goThere")),
      ),
      h("dl", { key: "facts", class: "facts" }, facts),
      this.about(...topics(e)),
      e.kind === "schedule" ? this.decision(e.detail as Decision) : h("span", { key: "decision0" }),
      e.kind === "request" || e.kind === "span"
        ? this.inside(e.kind === "span" ? e : this.history.span(e.seq))
        : h("span", { key: "inside0" }),
      h("h3", { key: "why" }, word(lang, "why")),
      causes.length
        ? h(
            "ol",
            { key: "causes", class: "chain" },
            causes.map((c) => this.link(c.e!, howWords[c.how] ? pick(lang, howWords[c.how]!) : c.how)),
          )
        : h("p", { key: "nocause", class: "hint" }, word(lang, "noCause")),
      chain.length > 1
        ? h(
            "details",
            { key: `chain ${e.seq}`, class: "raw", open: chain.length <= OPEN },
            h("summary", null, word(lang, "becauseChain")),
            h(
              "ol",
              { class: "chain" },
              chain.map((c) => this.link(c.e, c.how ? (howWords[c.how] ? pick(lang, howWords[c.how]!) : c.how) : "")),
              h("li", { key: "this", class: "now" }, h("strong", null, this.say(e))),
            ),
          )
        : h("span", { key: "chain0" }),
      effects.length ? h("h3", { key: "then" }, word(lang, "followed")) : h("span", { key: "then0" }),
      effects.length
        ? h(
            "ol",
            { key: "effects", class: "chain" },
            effects.map((x) => this.link(x, "")),
          )
        : h("span", { key: "effects0" }),
      this.sources(e),
      h(
        "details",
        { key: `raw ${e.seq}`, class: "raw" },
        h("summary", null, word(lang, "raw")),
        h("pre", { tabindex: 0 }, JSON.stringify(e, null, 2)),
      ),
    ];
  }

  /** Every node with what the scheduler made of it: the plug-in that refused it, or its points plug-in by plug-in. */
  private decision(d: Decision): VNode {
    const { lang } = this;
    const rows = (d.nodes ?? []).map((n) => {
      const scores = Object.entries(n.scores ?? {}).sort((a, b) => b[1] - a[1]);
      const said = n.rejected
        ? [h("span", { class: "bad" }, `✕ ${n.rejected.plugin}: ${n.rejected.reason}`)]
        : scores.length
          ? scores.map(([plugin, points]) =>
              h("span", { class: "points" }, h("span", null, plugin), h("span", null, String(points))),
            )
          : [h("span", null, `✓ ${word(lang, d.feasible === 1 ? "onlyOne" : "passedFilter")}`)];
      return h(
        "tr",
        { key: n.name, class: n.name === d.node ? "won" : "" },
        h("th", { scope: "row" }, n.name),
        h("td", null, said),
        h("td", { class: "total" }, n.total === undefined ? "" : String(n.total)),
      );
    });
    for (const p of d.preFilter ?? []) {
      rows.push(
        h(
          "tr",
          { key: `pre ${p.plugin}` },
          h("th", { scope: "row" }, "PreFilter"),
          h("td", null, h("span", { class: "bad" }, `✕ ${p.plugin}: ${p.reason}`)),
          h("td", null),
        ),
      );
    }
    return h(
      "table",
      { key: "decision", class: "decision" },
      h("caption", null, word(lang, "verdicts")),
      h("tbody", null, rows),
    );
  }

  /** The text about it. */
  private about(...things: (string | undefined)[]): VNode {
    return aboutLine(this.lang, ...things) ?? h("span", { key: "about0" });
  }

  /** Where it stands in Kubernetes' source. */
  private sources(e: KubeEvent): VNode {
    const { lang } = this;
    const places = upstream(e);
    if (places.length === 0) return h("span", { key: "source0" });
    return h(
      "div",
      { key: `source ${e.seq}` },
      h("h3", null, word(lang, "sourceCode", VERSION)),
      h(
        "ul",
        { class: "sources" },
        places.map((p) =>
          h(
            "li",
            { key: p.func },
            h("a", { href: p.url, rel: "noreferrer", target: "_blank" }, p.func),
            h("span", { class: "how" }, ` ${p.path.replace(/^staging\/src\//, "")}:${p.line}`),
          ),
        ),
      ),
    );
  }

  /** Which role binding allowed a request, and by which rule, when RBAC did. */
  private rule(e: KubeEvent): VNode | null {
    const authorized = stepsOf(this.history.span(e.seq)).findLast((s) => s.step === "authorization");
    const a = authorized?.attributes as Record<string, unknown> | undefined;
    const rule = a?.rule as Record<string, string[] | undefined> | undefined;
    if (!a?.binding || !rule) return null;
    const parts = [
      rule.verbs?.join(", "),
      [rule.resources, rule.nonResourceURLs].flat().filter(Boolean).join(", "),
      rule.apiGroups?.map((g) => g || "core").join(", "),
      rule.resourceNames?.join(", "),
    ].filter(Boolean);
    return h(
      "span",
      { class: "block" },
      `${named(a.binding)} → ${named(a.role)} → ${named(a.subject)}`,
      h("span", { class: "block mono" }, parts.join(" · ")),
    );
  }

  private path(e: KubeEvent): string {
    const o = e.object!;
    return [
      o.group ? `${o.group}/${o.version ?? ""}` : (o.version ?? ""),
      o.resource,
      o.subresource,
      o.namespace,
      o.name,
    ]
      .filter(Boolean)
      .join(" · ");
  }

  private whoMore(e: KubeEvent): Child[] {
    const d = e.detail ?? {};
    const out: Child[] = [];
    if (Array.isArray(d.groups) && d.groups.length)
      out.push(h("span", { class: "block" }, `${word(this.lang, "groups")}: `, mono(d.groups.join(", "))));
    if (d.userAgent)
      out.push(h("span", { class: "block" }, `${word(this.lang, "program")}: `, mono(String(d.userAgent))));
    return out;
  }

  /** What led to an event, from the first of it: always its nearest cause, and that one's. */
  private chain(e: KubeEvent): { e: KubeEvent; how: string }[] {
    const out: { e: KubeEvent; how: string }[] = [];
    for (let at: KubeEvent | undefined = e; at && out.length < 60; ) {
      const nearest: { seq: number; how: string } | undefined = at.causes?.[0];
      const cause: KubeEvent | undefined = nearest && this.log.get(nearest.seq);
      if (cause) out.unshift({ e: cause, how: nearest!.how });
      at = cause;
    }
    return out;
  }

  /** The steps of a request inside the kube-apiserver, with who saw each. */
  private inside(span: KubeEvent | undefined): VNode {
    const { lang } = this;
    const steps = stepsOf(span);
    if (steps.length === 0) return h("span", { key: "inside0" });
    const whole = Math.max(1, ...steps.map((s) => s.end - s.start));
    const rows = steps.map((s, i) =>
      h(
        "tr",
        { key: `s${i}`, class: s.refused ? "turned" : "" },
        h("th", { scope: "row" }, stepName(lang, s.step)),
        h(
          "td",
          null,
          h(
            "span",
            { class: "bar-row", title: word(lang, s.source === "otel" ? "ownTrace" : "ourGate") },
            h("meter", {
              class: s.source === "otel" ? "own" : "ours",
              min: 0,
              max: whole,
              value: Math.max(whole / 100, s.end - s.start),
              "aria-hidden": "true",
            }),
            h("span", null, duration(lang, (s.end - s.start) / 1e6)),
          ),
          this.stepSays(s).map((t) => h("span", { class: "block" }, t)),
        ),
      ),
    );
    const omitted = Number(span?.detail?.omitted ?? 0);
    return h(
      "div",
      { key: `inside ${span!.seq}` },
      h("table", { class: "decision steps" }, h("caption", null, word(lang, "inside")), h("tbody", null, rows)),
      omitted > 0 ? h("p", { class: "hint" }, word(lang, "moreSteps", omitted)) : null,
    );
  }

  private stepSays(s: Step): string[] {
    const { lang } = this;
    const a = s.attributes ?? {};
    const out: string[] = [];
    if (s.refused) out.push(`✕ ${word(lang, "refusedHere")}`);
    const facts = [
      "user",
      "method",
      "decision",
      "authorizer",
      "binding",
      "role",
      "reason",
      "flowSchema",
      "priorityLevel",
      "level",
      "call",
      "op",
      "key",
      "revision",
      "message",
    ]
      .filter((k) => a[k] !== undefined && a[k] !== "")
      .map((k) => `${k}: ${named(a[k])}`);
    if (facts.length) out.push(facts.join(" · "));
    for (const p of pluginsOf(s)) {
      const changed = p.changed?.length ? ` · ${word(lang, "changedFields", p.changed.join(", "))}` : "";
      out.push(
        `${p.refused ? "✕ " : ""}${p.plugin} ${duration(lang, (p.end - p.start) / 1e6)}${changed}${p.refused ? ` · ${p.refused}` : ""}`,
      );
    }
    if (s.merged) out.push(word(lang, "notApart", [s.merged].flat().map(String).join(", ")));
    return out;
  }

  private effects(seq: number): KubeEvent[] {
    const out: KubeEvent[] = [];
    for (let s = seq + 1; s <= this.log.last && s < seq + 4000 && out.length < 14; s++) {
      const e = this.log.get(s);
      if (e?.causes?.some((c) => c.seq === seq)) out.push(e);
    }
    return out;
  }

  private say(e: KubeEvent): string {
    return caption(this.lang, { events: [e], event: (s) => this.log.get(s) });
  }

  private link(e: KubeEvent, how: string): VNode {
    return h(
      "li",
      { key: `e${e.seq}`, class: e.evidence.how === "inferred" ? "inferred" : "" },
      h("button", { type: "button", "data-event": e.seq }, this.say(e)),
      how ? h("span", { class: "how" }, how) : null,
    );
  }

  private recent(test: (e: KubeEvent) => boolean, until: number): KubeEvent[] {
    const out: KubeEvent[] = [];
    for (let s = until; s >= this.log.first && s > until - 20_000 && out.length < 12; s--) {
      const e = this.log.get(s);
      if (e && this.history.lane(s) === "foreground" && test(e)) out.unshift(e);
    }
    return out;
  }

  /* An object */

  private object(key: string, s: ClusterState): VNode[] {
    const { lang } = this;
    const known = s.objects.get(key);
    const pod = [...s.pods.values()].find((p) => p.key === key);
    const resource = known?.resource ?? key.split("/")[0] ?? "";
    const events = this.recent((e) => e.object !== undefined && objectKey(e.object) === key, s.seq);
    return [
      h(
        "h2",
        { key: "title", class: "inspector-title" },
        `${kindName(lang, resource)} ${key.split("/").slice(1).join("/")}`,
      ),
      known ? h("span", { key: "here" }) : h("p", { key: "gone", class: "hint" }, word(lang, "gone")),
      h(
        "dl",
        { key: "facts", class: "facts" },
        pod
          ? term(word(lang, "what"), `${phaseWord(pod)} · ${pod.says}`, h("span", { class: "block" }, pod.node || "—"))
          : null,
        pod
          ? pod.containers.map((c) =>
              term(c.name, `${c.look}${c.reason ? ` · ${c.reason}` : ""}${c.restarts ? ` · ${c.restarts}↻` : ""}`),
            )
          : [],
        known?.revision ? term(word(lang, "revision"), mono(known.revision)) : null,
        known ? term("uid", mono(known.uid)) : null,
      ),
      this.about(resource),
      h("h3", { key: "h" }, word(lang, "historyOf")),
      h(
        "ol",
        { key: "events", class: "chain" },
        events.map((e) => this.link(e, clockTime(e.end))),
      ),
      known
        ? h(
            "details",
            { key: `raw ${key}`, class: "raw" },
            h("summary", null, word(lang, "rawObject")),
            h("pre", { tabindex: 0 }, JSON.stringify(known.value, null, 2)),
          )
        : h("span", { key: "raw0" }),
    ];
  }

  /* A part of the picture */

  private part(id: string, s: ClusterState): VNode[] {
    const { lang } = this;
    const component = componentOf(id);
    const c = component ? s.components.get(component) : undefined;
    const name = id.includes(":") ? `${id.split(":")[0]} · ${id.split(":")[1]}` : id;
    const node = id.startsWith("node:") ? s.nodes.get(id.slice(5)) : undefined;
    const events = this.recent((e) => this.concerns(id, e), s.seq);
    const facts: Child[] = [];
    if (c) {
      facts.push(
        term(
          word(lang, "what"),
          `${c.health === "unknown" ? "" : word(lang, c.health)}${c.exit ? ` · ${c.exit}` : ""}${c.wait ? ` · ${c.wait} ${word(lang, "seconds")}` : ""}`,
        ),
      );
      if (c.pid) facts.push(term("pid", mono(String(c.pid))));
      if (c.restarts) facts.push(term("restarts", String(c.restarts)));
    }
    if (node) {
      for (const [k, v] of [
        ["address", node.address],
        ["zone", node.zone],
        ["capacity", [node.cpu && `${node.cpu} CPU`, node.memory].filter(Boolean).join(", ")],
        ["runtime", node.runtime],
        ["taints", node.taints.join(", ")],
      ] as const) {
        if (v) facts.push(term(k, mono(v)));
      }
    }
    return [
      h("h2", { key: "title", class: "inspector-title" }, name),
      h("p", { key: "words" }, pick(lang, partWords(id))),
      this.about(id, id.split(":")[0]),
      h("dl", { key: "facts", class: "facts" }, facts),
      this.controls.buttons(id) ?? h("span", { key: "orders0" }),
      c?.lastLines.length ? h("h3", { key: "ll" }, word(lang, "lastLines")) : h("span", { key: "ll0" }),
      c?.lastLines.length
        ? h("pre", { key: "lines", tabindex: 0, class: "lines" }, c.lastLines.join("\n"))
        : h("span", { key: "lines0" }),
      events.length ? h("h3", { key: "h" }, word(lang, "historyOf")) : h("span", { key: "h0" }),
      h(
        "ol",
        { key: "events", class: "chain" },
        events.map((e) => this.link(e, clockTime(e.end))),
      ),
    ];
  }

  private concerns(id: string, e: KubeEvent): boolean {
    const from = actorOf(e.from);
    const to = actorOf(e.to ?? "");
    const [kind, node] = id.split(":");
    switch (kind) {
      case "kubectl":
        return from.role === "person";
      case "kubestage":
        return from.role === "kubestage" && e.kind === "request";
      case "kube-apiserver":
        return e.kind === "request" || e.to === "kube-apiserver";
      case "etcd":
        return e.kind === "etcd" || e.to === "etcd";
      case "kube-controller-manager":
        return from.role === "controllers" || to.role === "controllers";
      case "kube-scheduler":
        return from.role === "scheduler" || to.role === "scheduler";
      case "watch":
        return e.kind === "watch";
      case "node":
      case "kubelet":
        return from.node === node || to.node === node;
      case "runtime":
        return e.kind === "cri" && (from.node === node || to.node === node);
      case "authn":
      case "authz":
      case "admission":
      case "validation":
      case "storage":
        return e.kind === "request";
      default:
        return from.name === id;
    }
  }
}

/** What an event is an example of, the most telling first. */
function topics(e: KubeEvent): (string | undefined)[] {
  const resource = e.object?.resource;
  switch (e.kind) {
    case "etcd":
      return ["etcd"];
    case "schedule":
      return ["kube-scheduler"];
    case "watch":
      return ["watch", resource];
    case "cri":
      return ["runtime", "kubelet"];
    case "probe":
      return ["probe", "kubelet"];
    case "component":
      return [e.to?.split(":")[0]];
    default: {
      const { role, name } = actorOf(e.from);
      return [role === "controllers" ? name : undefined, resource, role === "kubelet" ? "kubelet" : name];
    }
  }
}

/** A value for a line of text; of an object what it is called. */
function named(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  const { kind, namespace, name } = value as Record<string, string | undefined>;
  return [kind, namespace, name].filter(Boolean).join("/") || JSON.stringify(value);
}

function mono(s: string): VNode {
  return h("span", { class: "mono" }, s);
}

function term(name: string, ...values: Child[]): VNode {
  return h("div", { key: `t ${name}` }, h("dt", null, name), h("dd", null, ...values));
}
