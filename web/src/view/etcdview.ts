// The etcd view: every key at the playhead, and for one of them every
// revision: its value, what changed, and who asked for it.
import type { Lang } from "../app.ts";
import { duration, word } from "../i18n/ui.ts";
import { actorName } from "../i18n/words.ts";
import { actorOf } from "../model/actor.ts";
import { type Change, changes, excerpt, type Line, yaml } from "../model/fields.ts";
import { type Entry, isGone, keyOf } from "../model/ledger.ts";
import { htmlDrawing } from "../panel/html.ts";
import { h, type VNode } from "../stage/node.ts";
import type { KubeEvent } from "../wire/event.ts";
import { instant } from "../wire/instant.ts";
import type { Doings, Moment, View } from "./view.ts";

/** Of one folder. */
const SHOWN = 200;
/** Folders that a search opens. */
const SEARCHED = 12;
const REVISIONS = 60;

export class EtcdView implements View {
  private readonly drawing;
  private filter = "";
  /** Only what the story wrote. */
  private ofStory = false;
  private whole = false;
  private copied = "";
  private at = "";
  private opened = new Set<string>();
  private made = new Map<string, { as: string; node: VNode }>();

  constructor(
    private readonly root: HTMLElement,
    doings: Doings,
  ) {
    this.drawing = htmlDrawing(root);
    root.addEventListener("input", (ev) => {
      const field = ev.target as HTMLInputElement;
      if (field.name === "filter") this.filter = field.value.trim().toLowerCase();
      else if (field.name === "story") this.ofStory = field.checked;
      else if (field.name === "whole") this.whole = field.checked;
      doings.redraw();
    });
    root.addEventListener("click", (ev) => {
      const target = ev.target as Element;
      const event = target.closest("[data-event]");
      const moment = target.closest("[data-moment]");
      const copy = target.closest("[data-copy]");
      const folder = target.closest("[data-folder]")?.getAttribute("data-folder");
      if (folder) {
        if (!this.opened.delete(folder)) this.opened.add(folder);
        doings.redraw();
      } else if (event) doings.select({ type: "event", seq: Number(event.getAttribute("data-event")) });
      else if (moment) doings.seek(Number(moment.getAttribute("data-moment")));
      else if (copy) {
        this.copied = copy.getAttribute("data-copy")!;
        void navigator.clipboard.writeText(this.copied);
        doings.redraw();
      }
    });
  }

  draw(m: Moment): void {
    const { lang } = m;
    const entries = m.ledger.keys(m.playhead);
    const shown = subject(m);
    this.drawing.draw(
      h(
        "div",
        { key: "split", class: "split" },
        h(
          "section",
          { class: "split-list", "aria-label": word(lang, "keysAt") },
          h(
            "h2",
            null,
            `${word(lang, entries.length === 1 ? "keyCount" : "keysCount", entries.length)} · ${word(lang, "revision")} ${m.history.at(m.playhead).revision || "0"}`,
          ),
          h(
            "div",
            { class: "view-bar" },
            h("input", {
              name: "filter",
              type: "search",
              "aria-label": word(lang, "filterKeys"),
              placeholder: word(lang, "filterKeys"),
            }),
            h("label", { class: "tick" }, h("input", { name: "story", type: "checkbox" }), word(lang, "onlyStory")),
          ),
          this.keys(m, entries, shown),
        ),
        shown ? this.detail(m, shown) : h("p", { class: "hint" }, word(lang, "noKey")),
      ),
    );
    const at = shown ? keyOf(shown) : "";
    if (at !== this.at) this.root.querySelector(".keys .now")?.scrollIntoView({ block: "nearest" });
    this.at = at;
  }

  private keys(m: Moment, entries: Entry[], shown: KubeEvent | undefined): VNode {
    const at = shown ? keyOf(shown) : "";
    const ofStory = new Set<string>();
    if (this.ofStory) {
      for (const seq of m.story?.events ?? []) {
        const e = seq <= m.playhead ? m.log.get(seq) : undefined;
        if (e) ofStory.add(keyOf(e));
      }
    }
    const fits = entries.filter(
      (e) => (!this.filter || e.key.toLowerCase().includes(this.filter)) && (!this.ofStory || ofStory.has(e.key)),
    );
    const folders = new Map<string, Entry[]>();
    for (const e of fits) {
      const [folder] = cut(e.key);
      folders.set(folder, [...(folders.get(folder) ?? []), e]);
    }
    const searched = this.filter !== "" || this.ofStory;
    return h(
      "div",
      { class: "keys" },
      [...folders].map(([folder, list], i) => {
        const open = searched ? i < SEARCHED : this.opened.has(folder) || cut(at)[0] === folder;
        return h(
          "section",
          { key: folder },
          h(
            "h3",
            { class: "key-folder" },
            h(
              "button",
              { type: "button", "data-folder": folder, "aria-expanded": String(open) },
              h("span", null, `${open ? "▾" : "▸"} ${folder}`),
              h("span", { class: "how" }, String(list.length)),
            ),
          ),
          open
            ? h(
                "ul",
                null,
                list.slice(0, SHOWN).map((e) => this.line(m, e, e.key === at)),
                list.length > SHOWN
                  ? h("li", { key: "more", class: "hint" }, word(m.lang, "moreKeys", list.length - SHOWN))
                  : null,
              )
            : null,
        );
      }),
    );
  }

  /** A key's line; there are hundreds, and few change. */
  private line(m: Moment, e: Entry, now: boolean): VNode {
    const as = `${m.log.id} ${e.newest.seq} ${now}`;
    const known = this.made.get(e.key);
    if (known?.as === as) return known.node;
    const node = h(
      "li",
      { key: e.key, class: now ? "now" : "" },
      h(
        "button",
        { type: "button", "data-event": e.newest.seq, "aria-current": now ? "true" : undefined },
        h("span", { class: "key-name" }, cut(e.key)[1]),
        h("span", { class: "key-rev" }, e.newest.revision ?? ""),
      ),
    );
    if (this.made.size > 20_000) this.made.clear();
    this.made.set(e.key, { as, node });
    return node;
  }

  private detail(m: Moment, e: KubeEvent): VNode {
    const { lang } = m;
    const key = keyOf(e);
    const writes = m.ledger.writes(key, m.playhead);
    const index = writes.findIndex((w) => w.seq === e.seq);
    const before = writes[index - 1];
    const was = before && !isGone(before) ? yaml(before.detail?.value ?? {}) : [];
    const now = isGone(e) ? [] : yaml(e.detail?.value ?? {});
    const asked = askedFor(m, e);
    const d = e.detail ?? {};
    const stored = e.kind === "etcd";
    const command = isGone(e)
      ? `etcdctl get ${key} --rev=${Number(e.revision) - 1} -w json`
      : `etcdctl get ${key} --rev=${e.revision ?? ""} -w json`;
    return h(
      "section",
      { key: "detail", class: "split-detail", "aria-label": key },
      h("h2", { class: "key-title mono" }, key),
      h(
        "p",
        { class: "how" },
        [
          `${word(lang, isGone(e) ? "deletedAt" : "writtenAt", e.revision ?? "?")}`,
          d.version ? word(lang, "versionOf", Number(d.version)) : "",
          d.createRevision ? word(lang, "bornAt", Number(d.createRevision)) : "",
          d.bytes ? word(lang, "bytesOf", Number(d.bytes)) : "",
          d.lease ? `lease ${d.lease}` : "",
        ]
          .filter(Boolean)
          .join(" · "),
      ),
      asked
        ? h(
            "p",
            { class: "asked" },
            `${word(lang, "askedBy")} `,
            h("button", { type: "button", class: "link", "data-event": asked.seq }, sayWho(lang, asked)),
          )
        : h("p", { class: "asked" }, word(lang, e.verb === "range" ? "wasThere" : "nobodyAsked")),
      stored
        ? h(
            "p",
            { class: "command-row" },
            h(
              "code",
              { class: "mono" },
              command.split(/( )/).map((w) => (w.startsWith("-") ? h("span", { class: "flag" }, w) : w)),
            ),
            h(
              "button",
              { type: "button", class: "small-button", "data-copy": command },
              word(lang, this.copied === command ? "copied" : "copy"),
            ),
          )
        : null,
      e.object?.resource === "secrets" && !e.object.group ? h("p", { class: "note" }, word(lang, "noSecrets")) : null,
      h(
        "div",
        { class: "view-bar" },
        h("h3", null, word(lang, before ? "changedSince" : "value", before?.revision ?? "")),
        before
          ? h("label", { class: "tick" }, h("input", { name: "whole", type: "checkbox" }), word(lang, "wholeValue"))
          : null,
      ),
      this.value(lang, was, now),
      stored ? h("p", { class: "hint small" }, word(lang, "protobuf")) : null,
      h("h3", null, word(lang, "revisionsOf")),
      h(
        "ol",
        { class: "revisions" },
        writes.slice(-REVISIONS).map((w) => {
          const who = askedFor(m, w);
          return h(
            "li",
            { key: String(w.seq), class: w.seq === e.seq ? "now" : "" },
            h(
              "button",
              { type: "button", "data-event": w.seq, "aria-current": w.seq === e.seq ? "true" : undefined },
              h("span", { class: "key-rev" }, w.revision ?? ""),
              h("span", { class: `verb deed-${isGone(w) ? "delete" : "update"}` }, w.verb),
              h("span", null, who ? shortWho(lang, who) : word(lang, w.verb === "range" ? "wasThereShort" : "itself")),
              h("span", { class: "how" }, sinceText(lang, writes[0]!, w)),
            ),
          );
        }),
      ),
    );
  }

  private value(lang: Lang, was: readonly Line[], now: readonly Line[]): VNode {
    const all = changes(was, now);
    const cut: (Change | { skipped: number })[] = this.whole || was.length === 0 ? all : excerpt(all);
    const alone = was.length === 0;
    return h(
      "pre",
      { key: "value", class: "yaml", tabindex: 0 },
      cut.map((c, i) =>
        "skipped" in c
          ? h("span", { key: `s${i}`, class: "yaml-line skipped" }, `⋯ ${word(lang, "sameLines", c.skipped)}\n`)
          : h(
              "span",
              { key: `${c.mark}${c.path}${i}`, class: `yaml-line ${alone ? "" : marks[c.mark]}` },
              `${alone ? "" : `${c.mark} `}${c.text}\n`,
            ),
      ),
    );
  }
}

const marks = { " ": "", "+": "added", "-": "removed" } as const;

/** What the view is about: what is selected, if it was stored; or else the newest write of the foreground. */
function subject(m: Moment): KubeEvent | undefined {
  const s = m.selection;
  if (s?.type === "event") {
    const e = m.log.get(s.seq);
    if (e && e.seq <= m.playhead && keyOf(e)) return e;
  }
  const named = s?.type === "object" ? m.ledger.keyOfObject(s.key) : undefined;
  if (named) return m.ledger.writes(named, m.playhead).at(-1);
  for (let i = m.playhead; i > m.playhead - 4000 && i >= m.log.first; i--) {
    const e = m.log.get(i);
    if (e && keyOf(e) && m.history.lane(i) === "foreground") return e;
  }
  return undefined;
}

/** The request a write is from. */
export function askedFor(m: Pick<Moment, "log">, e: KubeEvent): KubeEvent | undefined {
  return (e.causes ?? []).map((c) => m.log.get(c.seq)).find((c) => c?.kind === "request");
}

function shortWho(lang: Lang, request: KubeEvent): string {
  const agent = typeof request.detail?.userAgent === "string" ? request.detail.userAgent : "";
  const sub = request.object?.subresource;
  return `${actorName(lang, actorOf(request.from), agent)} · ${request.verb}${sub ? ` ${sub}` : ""}`;
}

function sayWho(lang: Lang, request: KubeEvent): string {
  return `${shortWho(lang, request)} · ${request.from}`;
}

function sinceText(lang: Lang, first: KubeEvent, e: KubeEvent): string {
  const ms = instant(e.end) - instant(first.end);
  return first === e ? "" : `+${duration(lang, Math.max(0, ms))}`;
}

/** A key's last part, and what stands before it. */
function cut(key: string): [string, string] {
  const i = key.lastIndexOf("/") + 1;
  return [key.slice(0, i), key.slice(i)];
}
