// The object view: an object at the playhead as YAML, each field marked with
// whoever wrote it last, and the revision in which that happened.
import type { Lang } from "../app.ts";
import { word } from "../i18n/ui.ts";
import { actorName, kindName } from "../i18n/words.ts";
import { actorOf } from "../model/actor.ts";
import { isGone, keyOf } from "../model/ledger.ts";
import { type Authored, authored, type Write } from "../model/writers.ts";
import { htmlDrawing } from "../panel/html.ts";
import { h, type VNode } from "../stage/node.ts";
import { type KubeEvent, objectKey } from "../wire/event.ts";
import type { Doings, Moment, View } from "./view.ts";

/** Writers told apart by colour and letter; more share the last. */
const COLOURS = 8;

export class ObjectView implements View {
  private readonly drawing;
  /** The answer that took the most work, for as long as it is asked for again. */
  private last: { newest: KubeEvent | undefined; count: number; known: Authored } | null = null;

  constructor(root: HTMLElement, doings: Doings) {
    this.drawing = htmlDrawing(root);
    root.addEventListener("click", (ev) => {
      const event = (ev.target as Element).closest("[data-event]");
      if (event) doings.select({ type: "event", seq: Number(event.getAttribute("data-event")) });
    });
    root.addEventListener("change", (ev) => {
      const choice = (ev.target as Element).closest<HTMLSelectElement>("select[data-object]");
      if (choice?.value) doings.select({ type: "object", key: choice.value });
    });
  }

  draw(m: Moment): void {
    const { lang } = m;
    const key = subject(m);
    const writes = key ? m.ledger.writes(m.ledger.keyOfObject(key) ?? "", m.playhead) : [];
    const newest = writes[writes.length - 1];
    if (!this.last || this.last.newest !== newest || this.last.count !== writes.length) {
      const known = authored(
        writes,
        (seq) => m.log.get(seq),
        (seq) => m.history.span(seq),
      );
      this.last = { newest, count: writes.length, known };
    }
    const a = this.last.known;
    this.drawing.draw(
      this.choice(m, key),
      writes.length === 0
        ? h("p", { key: "none", class: "hint" }, word(lang, key ? "gone" : "noObject"))
        : this.object(m, key, a),
    );
  }

  private choice(m: Moment, key: string): VNode {
    const { lang } = m;
    const keys = new Set<string>();
    for (const seq of m.story?.events ?? []) {
      if (seq > m.playhead) break;
      const e = m.log.get(seq);
      if (e && keyOf(e) && e.object?.name) keys.add(objectKey(e.object));
    }
    if (key) keys.add(key);
    return h(
      "div",
      { key: "bar", class: "view-bar" },
      h(
        "label",
        { class: "view-choice" },
        h("span", null, word(lang, "objectsOfStory")),
        h(
          "select",
          { "data-object": true },
          [...keys].map((k) => h("option", { key: k, value: k, selected: k === key }, nameOf(lang, k))),
        ),
      ),
    );
  }

  private object(m: Moment, key: string, a: Authored): VNode {
    const { lang } = m;
    const writers = writersOf(a);
    const newest = a.writes[a.writes.length - 1]!.event;
    let before: Write | undefined;
    const lines = a.lines.map((l, i) => {
      const w = l.leaf ? a.by.get(l.path) : undefined;
      const place = w ? writers.places.get(writerKey(w)) : undefined;
      const tells = w && (before === undefined || w.event !== before.event || writerKey(w) !== writerKey(before));
      if (w) before = w;
      else before = undefined;
      return h(
        "span",
        {
          key: `${l.path}`,
          class: `yaml-line ${place === undefined ? "" : `writer-${Math.min(place, COLOURS - 1)}`}${w?.event === newest && a.writes.length > 1 ? " fresh" : ""}${w?.inferred ? " inferred" : ""}`,
        },
        h("span", { class: "writer-mark", "aria-hidden": "true" }, place === undefined ? " " : letter(place)),
        h("span", { class: "yaml-text" }, `${l.text}${i === a.lines.length - 1 ? "" : "\n"}`),
        w && tells
          ? h(
              "button",
              { type: "button", class: "writer-note", "data-event": w.event.seq },
              `${short(lang, w)} · ${w.event.revision ?? ""}`,
            )
          : null,
      );
    });
    return h(
      "section",
      { key: `object ${key}`, class: "object" },
      h("h2", null, nameOf(lang, key)),
      a.gone ? h("p", { class: "note" }, word(lang, "lastValue", newest.revision ?? "?")) : null,
      newest.object?.resource === "secrets" && !newest.object.group
        ? h("p", { class: "note" }, word(lang, "noSecrets"))
        : null,
      h(
        "ul",
        { class: "writers" },
        writers.list.map(({ write, fields }, i) =>
          h(
            "li",
            { key: writerKey(write), class: `writer-${Math.min(i, COLOURS - 1)}` },
            h("span", { class: "writer-mark", "aria-hidden": "true" }, letter(i)),
            h("span", null, full(lang, write)),
            h("span", { class: "how" }, word(lang, fields === 1 ? "fieldCount" : "fieldsCount", fields)),
          ),
        ),
      ),
      h("pre", { class: "yaml authored", tabindex: 0 }, lines),
      h("p", { class: "hint small" }, word(lang, "writersNote")),
    );
  }
}

const letter = (i: number) => String.fromCharCode(65 + Math.min(i, 25));

function writerKey(w: Write): string {
  return w.part === undefined ? w.by : `kube-apiserver ${w.part}`;
}

/** Writers of the fields there are, by who came first. */
function writersOf(a: Authored) {
  const first = new Map<string, Write>();
  const fields = new Map<string, number>();
  for (const w of [...a.by.values()].sort((x, y) => x.event.seq - y.event.seq)) {
    const key = writerKey(w);
    if (!first.has(key)) first.set(key, w);
    fields.set(key, (fields.get(key) ?? 0) + 1);
  }
  const list = [...first].map(([key, write]) => ({ write, fields: fields.get(key)! }));
  return { list, places: new Map(list.map(({ write }, i) => [writerKey(write), i])) };
}

function short(lang: Lang, w: Write): string {
  if (w.part) return w.part;
  if (w.part === "") return "kube-apiserver";
  if (!w.by) return word(lang, "before");
  return `${actorName(lang, actorOf(w.by), w.agent)}${w.subresource ? ` (${w.subresource})` : ""}`;
}

function full(lang: Lang, w: Write): string {
  if (w.part) return word(lang, "filledByPlugin", w.part);
  if (w.part === "") return word(lang, "filledByServer");
  if (!w.by) return word(lang, "wasThere");
  return `${actorName(lang, actorOf(w.by), w.agent)} · ${w.by}`;
}

function nameOf(lang: Lang, key: string): string {
  const parts = key.split("/");
  const at = parts.findIndex((p) => !p.includes(".") && kindName("en", p) !== `${p} object`);
  const rest = parts.slice(Math.max(0, at) + 1);
  return `${kindName(lang, parts[Math.max(0, at)] ?? "")} ${rest.join("/")}`;
}

/** The object that is selected, or that the selected event is about; else the one written last. */
function subject(m: Moment): string {
  const s = m.selection;
  if (s?.type === "object") return s.key;
  const e = s?.type === "event" ? m.log.get(s.seq) : undefined;
  if (e?.object?.name && m.ledger.keyOfObject(objectKey(e.object))) return objectKey(e.object);
  for (let i = m.playhead; i > m.playhead - 4000 && i >= m.log.first; i--) {
    const w: KubeEvent | undefined = m.log.get(i);
    if (w?.object?.name && keyOf(w) && !isGone(w) && m.history.lane(i) === "foreground") return objectKey(w.object);
  }
  return "";
}
