// The sequence view: the story of the playhead, or the chosen one, row by
// row; beside another story when two are compared.
import { caption } from "../i18n/captions.ts";
import { word } from "../i18n/ui.ts";
import type { Story } from "../model/story.ts";
import { htmlDrawing } from "../panel/html.ts";
import { Drawing, h } from "../stage/node.ts";
import { comparison } from "./compare.ts";
import { mermaid, type Row, type Sequence, sequenceOf } from "./sequence.ts";
import { body, columnFor, HEAD, head, type Made, ROW, standalone, widthOf } from "./sequencedrawing.ts";
import type { Doings, Moment, View } from "./view.ts";

const SVG = "http://www.w3.org/2000/svg";

export class SequenceView implements View {
  private readonly bar;
  private readonly table;
  private readonly columns: [Column, Column];
  private shown: { moment: Moment; sequence: Sequence } | null = null;
  private said = "";

  constructor(
    root: HTMLElement,
    private readonly doings: Doings,
  ) {
    const part = (name: string) => {
      const el = document.createElement("div");
      el.className = name;
      root.append(el);
      return el;
    };
    this.bar = htmlDrawing(part("view-bar"));
    this.table = htmlDrawing(part("compare"));
    const pair = part("sequences");
    this.columns = [new Column(pair, doings), new Column(pair, doings)];
    root.addEventListener("click", (ev) => {
      const target = ev.target as Element;
      if (target.closest("[data-svg]")) this.saveSvg();
      else if (target.closest("[data-mermaid]")) void this.copyMermaid();
    });
    root.addEventListener("change", (ev) => {
      const choice = (ev.target as Element).closest<HTMLSelectElement>("select[data-compare]");
      if (choice) doings.compare(Number(choice.value));
    });
  }

  draw(m: Moment): void {
    const { story } = m;
    const other = story && m.compared ? m.stories.get(m.compared) : undefined;
    const event = (seq: number) => m.log.get(seq);
    const sequence = story && sequenceOf(m.lang, story, other ? Number.POSITIVE_INFINITY : m.playhead, event);
    this.shown = sequence ? { moment: m, sequence } : null;
    this.drawBar(m, story);
    this.table.draw(...(story && other ? comparison(m, story, other, this.doings.titleOf) : []));
    const [a, b] = this.columns;
    a.draw(m, sequence, story?.events.length ?? 0, other && story ? this.doings.titleOf(story.root) : "");
    b.draw(
      m,
      other && sequenceOf(m.lang, other, Number.POSITIVE_INFINITY, event),
      other?.events.length ?? 0,
      other ? this.doings.titleOf(other.root) : "",
    );
  }

  private drawBar(m: Moment, story: Story | undefined): void {
    const { lang } = m;
    if (!story) {
      this.bar.draw(h("p", { key: "none", class: "hint" }, word(lang, "noStory")));
      return;
    }
    const others = m.stories
      .all()
      .filter((s) => s.root !== story.root && s.events.length > 3)
      .slice(-80)
      .reverse();
    this.bar.draw(
      h(
        "label",
        { key: "compare", class: "view-choice" },
        h("span", null, word(lang, "compareWith")),
        h(
          "select",
          { "data-compare": true },
          h("option", { key: "0", value: 0, selected: m.compared === 0 }, word(lang, "noOther")),
          others.map((s) =>
            h(
              "option",
              { key: String(s.root), value: s.root, selected: s.root === m.compared },
              `${this.doings.titleOf(s.root)} (${s.events.length})`,
            ),
          ),
        ),
      ),
      h("button", { key: "svg", type: "button", class: "small-button", "data-svg": true }, word(lang, "saveSvg")),
      h(
        "button",
        { key: "mmd", type: "button", class: "small-button", "data-mermaid": true },
        word(lang, "copyMermaid"),
      ),
      h("span", { key: "said", role: "status", class: "how" }, this.said),
    );
  }

  private saveSvg(): void {
    if (!this.shown) return;
    const { moment, sequence } = this.shown;
    const style = getComputedStyle(document.documentElement);
    const title = this.doings.titleOf(moment.story?.root ?? 0);
    const text = standalone(sequence, title, moment.lang, (name) => style.getPropertyValue(`--${name}`).trim());
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    link.download = `kubestage-sequence-${moment.story?.root ?? 0}.svg`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  private async copyMermaid(): Promise<void> {
    if (!this.shown) return;
    const { moment, sequence } = this.shown;
    await navigator.clipboard.writeText(mermaid(sequence, this.doings.titleOf(moment.story?.root ?? 0)));
    this.said = word(moment.lang, "copied");
    this.doings.redraw();
  }
}

/** One diagram, which follows its newest row until the reader scrolls away from it. */
class Column {
  private readonly box = document.createElement("section");
  private readonly scroll = document.createElement("div");
  private readonly title = document.createElement("h2");
  private readonly svgs = [document.createElementNS(SVG, "svg"), document.createElementNS(SVG, "svg")] as const;
  private readonly heading = new Drawing(this.svgs[0]);
  private readonly rows = new Drawing(this.svgs[1]);
  private readonly rest = document.createElement("p");
  private last = 0;
  private made: Made = new Map();
  private story = "";

  constructor(root: HTMLElement, doings: Doings) {
    this.box.className = "sequence";
    this.scroll.className = "sequence-scroll";
    this.scroll.tabIndex = 0;
    this.scroll.setAttribute("role", "group");
    this.svgs[0].setAttribute("class", "seq-svg seq-head");
    this.svgs[0].setAttribute("aria-hidden", "true");
    this.svgs[1].setAttribute("class", "seq-svg");
    this.rest.className = "hint seq-rest";
    this.scroll.append(...this.svgs, this.rest);
    this.box.append(this.title, this.scroll);
    root.append(this.box);
    this.scroll.addEventListener("scroll", () => doings.redraw(), { passive: true });
    const choose = (ev: Event): boolean => {
      const row = (ev.target as Element).closest("[data-event]");
      if (!row) return false;
      const seq = Number(row.getAttribute("data-event"));
      doings.select({ type: "event", seq });
      return true;
    };
    this.scroll.addEventListener("click", choose);
    this.scroll.addEventListener("keydown", (ev) => {
      if ((ev.key === "Enter" || ev.key === " ") && choose(ev)) {
        ev.preventDefault();
        ev.stopPropagation();
      }
    });
  }

  draw(m: Moment, s: Sequence | undefined, events: number, title: string): void {
    this.box.hidden = !s;
    if (!s) return;
    this.title.hidden = title === "";
    if (this.title.textContent !== title) this.title.textContent = title;
    this.scroll.setAttribute("aria-label", word(m.lang, "sequenceOf", title || word(m.lang, "thisStory")));
    const column = columnFor(this.scroll.clientWidth - 2, s.lines.length);
    const width = Math.ceil(widthOf(s, column));
    const height = s.rows.length * ROW + 10;
    for (const [svg, tall] of [
      [this.svgs[0], HEAD],
      [this.svgs[1], height],
    ] as const) {
      svg.setAttribute("width", String(width));
      svg.setAttribute("height", String(tall));
    }
    const newest = s.rows[s.rows.length - 1];
    const story = `${m.log.id} ${s.rows[0]?.seq}`;
    if (this.story !== story || this.made.size > 4000) this.made.clear();
    this.story = story;
    const first = Math.max(0, Math.floor(this.scroll.scrollTop / ROW) - 8);
    const last = Math.ceil((this.scroll.scrollTop + this.scroll.clientHeight) / ROW) + 8;
    this.heading.draw(...head(s, column));
    const sight = {
      first,
      last,
      column,
      now: m.focus,
      selected: m.selection?.type === "event" ? m.selection.seq : 0,
      lang: m.lang,
      say: (r: Row) => {
        const e = m.log.get(r.seq);
        return e ? caption(m.lang, { events: [e], event: (q) => m.log.get(q) }) : r.label;
      },
    };
    this.rows.draw(...body(s, sight, this.made));
    const ahead = events - s.rows.length;
    this.rest.hidden = ahead <= 0;
    const rest = ahead > 0 ? word(m.lang, ahead === 1 ? "oneAhead" : "moreAhead", ahead) : "";
    if (this.rest.textContent !== rest) this.rest.textContent = rest;
    if (newest && newest.seq !== this.last && !title) this.follow(column, newest);
    this.last = newest?.seq ?? 0;
  }

  private follow(column: number, newest: { from: number; to: number }): void {
    const { scroll } = this;
    scroll.scrollTop = scroll.scrollHeight;
    const left = Math.min(newest.from, newest.to) * column;
    const right = (Math.max(newest.from, newest.to) + 1) * column + 76;
    if (right > scroll.scrollLeft + scroll.clientWidth) scroll.scrollLeft = right - scroll.clientWidth;
    else if (left < scroll.scrollLeft) scroll.scrollLeft = left;
  }
}
