// The stories tab: what grew out of what, newest first, and recordings of it.
import type { Lang } from "../app.ts";
import { duration, word } from "../i18n/ui.ts";
import { h, type VNode } from "../stage/node.ts";
import { ask, Refused } from "../wire/ask.ts";
import { instant } from "../wire/instant.ts";
import { htmlDrawing } from "./html.ts";
import { clockTime } from "./transcript.ts";

/** A story as the panel lists it. */
export interface Line {
  /** The sequence number of its root, as the server names it. */
  id: string;
  root: number;
  last: number;
  title: string;
  events: number;
  actors: number;
  start: string;
  /** Real milliseconds. */
  took: number;
  settled: boolean;
}

interface Kept {
  id: string;
  title?: string;
  size: number;
  events: number;
  start: string;
  end: string;
}

export interface StoriesOptions {
  lang: Lang;
  stories(): Line[];
  /** Whether the page shows the server's own log, which can be recorded. */
  live: boolean;
  /** The root of the chosen story; 0 when none is. */
  chosen(): number;
  playhead(): number;
  bounds(): { first: number; last: number };
  choose(line: Line): void;
  redraw(): void;
}

const EVERY = 2000; // milliseconds between two looks at the server
const SHOWN = 60;

export class StoriesPanel {
  private readonly drawing;
  private kept: Kept[] = [];
  private asked = 0;
  private asking = false;
  private askedFor = -1;
  private from: number | null = null;
  private to: number | null = null;
  private title = "";
  private says = "";
  private deleting = "";

  constructor(
    private readonly root: HTMLElement,
    private readonly o: StoriesOptions,
  ) {
    this.drawing = htmlDrawing(root);
    root.addEventListener("click", (ev) => this.click(ev.target as Element));
    root.addEventListener("input", (ev) => {
      const field = ev.target as HTMLInputElement;
      if (field.name === "title") this.title = field.value;
      else if (field.name === "from") this.from = field.value === "" ? null : Number(field.value);
      else if (field.name === "to") this.to = field.value === "" ? null : Number(field.value);
    });
    root.addEventListener("submit", (ev) => {
      ev.preventDefault();
      void this.record({ from: this.from ?? this.o.bounds().first, to: this.to ?? this.o.bounds().last });
    });
  }

  /** Asks the server when there may be news. */
  private refresh(): void {
    const { last } = this.o.bounds();
    if (this.asking || !this.o.live || last === this.askedFor || Date.now() - this.asked < EVERY) return;
    this.asking = true;
    this.askedFor = last;
    void this.readKept().then(() => {
      this.asking = false;
      this.asked = Date.now();
      this.o.redraw();
      window.setTimeout(() => this.o.redraw(), EVERY);
    });
  }

  private async readKept(): Promise<void> {
    try {
      this.kept = ((await (await ask("GET", "/api/recordings")).json()) as { recordings: Kept[] }).recordings;
    } catch {
      this.kept = [];
    }
  }

  private click(target: Element): void {
    const line = target.closest("[data-story]");
    const record = target.closest("[data-record]");
    const remove = target.closest("[data-delete]");
    if (line) {
      const story = this.o.stories().find((l) => l.id === line.getAttribute("data-story"));
      if (story) this.o.choose(story);
    } else if (record) {
      const story = this.o.stories().find((l) => l.id === record.getAttribute("data-record"));
      if (story) void this.record({ story: story.id }, story.title);
    } else if (target.closest("[data-from-here]")) this.from = this.o.playhead();
    else if (target.closest("[data-to-here]")) this.to = this.o.playhead();
    else if (remove) {
      const id = remove.getAttribute("data-delete")!;
      if (this.deleting === id) void this.forget(id);
      else this.deleting = id;
    } else return;
    this.o.redraw();
  }

  private async record(what: object, title = ""): Promise<void> {
    await this.tell(async () => {
      await ask("POST", "/api/recordings", { ...what, title: this.title || title.slice(0, 120), lang: this.o.lang });
      this.says = word(this.o.lang, "recorded");
    });
  }

  private async forget(id: string): Promise<void> {
    await this.tell(async () => {
      await ask("DELETE", `/api/recordings/${id}`);
      this.says = word(this.o.lang, "deletedRecording");
      this.deleting = "";
    });
  }

  private async tell(deed: () => Promise<void>): Promise<void> {
    try {
      await deed();
    } catch (e) {
      this.says = e instanceof Refused ? [e.message, e.hint].filter(Boolean).join(". ") : word(this.o.lang, "lost");
    }
    await this.readKept();
    this.o.redraw();
  }

  draw(): void {
    this.refresh();
    const { lang } = this.o;
    const list = this.o.stories().slice(-SHOWN).reverse();
    this.drawing.draw(
      h("h2", { key: "h", class: "inspector-title" }, word(lang, "storiesTitle")),
      h("p", { key: "w", class: "hint" }, word(lang, "storiesWords")),
      list.length
        ? h(
            "ol",
            { key: "list", class: "stories" },
            list.map((l) => this.line(l)),
          )
        : h("p", { key: "none", class: "hint" }, word(lang, "emptyTranscript")),
      ...(this.o.live ? this.recordings() : []),
    );
    // What was typed is the field's; what was pressed goes there.
    for (const name of ["from", "to"] as const) {
      const field = this.root.querySelector<HTMLInputElement>(`input[name="${name}"]`);
      const value = this[name] === null ? "" : String(this[name]);
      if (field && field.value !== value) field.value = value;
    }
  }

  private line(l: Line): VNode {
    const { lang } = this.o;
    const facts = [
      clockTime(l.start).slice(0, 8),
      word(lang, l.events === 1 ? "eventOf" : "eventsOf", l.events),
      word(lang, "actorsOf", l.actors),
      duration(lang, l.took).replace(" ", "\u00a0"),
      l.settled ? "" : word(lang, "goesOn"),
    ];
    return h(
      "li",
      { key: l.id, class: l.root === this.o.chosen() ? "now" : "" },
      h("button", { type: "button", class: "story-line", "data-story": l.id }, l.title),
      h(
        "span",
        { class: "story-row" },
        h("span", { class: "how" }, facts.filter(Boolean).join(" · ")),
        this.o.live
          ? h(
              "button",
              {
                type: "button",
                class: "small-button",
                "data-record": l.id,
                "aria-label": `${word(lang, "record")}: ${l.title}`,
              },
              word(lang, "record"),
            )
          : null,
      ),
    );
  }

  private recordings(): VNode[] {
    const { lang } = this.o;
    const { first, last } = this.o.bounds();
    const field = (name: "from" | "to", label: string, action: string, says: string) =>
      h(
        "div",
        { class: "range-row" },
        h(
          "label",
          null,
          h("span", null, label),
          h("input", {
            name,
            type: "number",
            min: first,
            max: last,
            placeholder: String(name === "from" ? first : last),
          }),
        ),
        h("button", { type: "button", class: "small-button", [action]: true }, says),
      );
    return [
      h("h2", { key: "rh", class: "inspector-title" }, word(lang, "recordingsTitle")),
      h("p", { key: "rw", class: "hint" }, word(lang, "recordingsWords")),
      h(
        "form",
        { key: "form", class: "record-form" },
        h(
          "label",
          null,
          h("span", null, word(lang, "recordingName")),
          h("input", { name: "title", type: "text", maxlength: 120 }),
        ),
        field("from", word(lang, "fromEvent"), "data-from-here", word(lang, "fromHere")),
        field("to", word(lang, "toEvent"), "data-to-here", word(lang, "toHere")),
        h("button", { type: "submit", class: "small-button" }, word(lang, "recordRange")),
      ),
      h("p", { key: "says", role: "status", class: "hint" }, this.says),
      h("ul", { key: "kept", class: "stories" }, this.kept.map((k) => this.recording(k)).reverse()),
    ];
  }

  private recording(k: Kept): VNode {
    const { lang } = this.o;
    const title = k.title || clockTime(k.start);
    const facts = [
      word(lang, k.events === 1 ? "eventOf" : "eventsOf", k.events),
      duration(lang, Math.max(0, instant(k.end) - instant(k.start))),
      `${Math.max(1, Math.round(k.size / 1024))} KiB`,
    ].join(" · ");
    return h(
      "li",
      { key: k.id },
      h("span", { class: "story-name" }, title),
      h("span", { class: "how" }, facts),
      h(
        "span",
        { class: "order-row" },
        h(
          "a",
          {
            class: "small-button",
            href: `?recording=${k.id}`,
            "aria-label": `${word(lang, "playRecording")}: ${title}`,
          },
          word(lang, "playRecording"),
        ),
        h(
          "a",
          {
            class: "small-button",
            href: `/api/recordings/${k.id}`,
            download: "",
            "aria-label": `${word(lang, "download")}: ${title}`,
          },
          word(lang, "download"),
        ),
        h(
          "button",
          {
            type: "button",
            class: "small-button",
            "data-delete": k.id,
            "aria-label": `${word(lang, this.deleting === k.id ? "reallyDelete" : "deleteIt")}: ${title}`,
          },
          word(lang, this.deleting === k.id ? "reallyDelete" : "deleteIt"),
        ),
      ),
    );
  }
}
