// The command palette: everything there is to do, see or go to, found by
// typing a few letters of it.
import type { Lang } from "../app.ts";
import { type Word, word } from "../i18n/ui.ts";
import { h } from "../stage/node.ts";
import { find, htmlDrawing } from "./html.ts";

export interface Choice {
  group: Word;
  title: string;
  /** Keys, or what tells it from others with the same title. */
  more?: string;
  run(): void;
}

const SHOWN = 60;

/** What fits the words typed, the best first: each word must be somewhere, at its best where a word begins. */
export function fitting(choices: readonly Choice[], typed: string, group: (w: Word) => string): Choice[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return choices.slice(0, SHOWN);
  const scored: { c: Choice; score: number; i: number }[] = [];
  choices.forEach((c, i) => {
    const title = c.title.toLowerCase();
    const all = `${group(c.group).toLowerCase()} ${title} ${c.more?.toLowerCase() ?? ""}`;
    let score = 0;
    for (const w of words) {
      const at = all.indexOf(w);
      if (at < 0) return;
      score += title.startsWith(w) ? 4 : /[\s/:·-]/.test(all[at - 1] ?? " ") ? 2 : 1;
    }
    scored.push({ c, score, i });
  });
  return scored
    .sort((a, b) => b.score - a.score || a.i - b.i)
    .slice(0, SHOWN)
    .map((s) => s.c);
}

export class Palette {
  private readonly dialog = find<HTMLDialogElement>("[data-palette]");
  private readonly field = find<HTMLInputElement>("[data-palette-field]");
  private readonly list = find("[data-palette-list]");
  private readonly drawing = htmlDrawing(this.list);
  private all: Choice[] = [];
  private shown: Choice[] = [];
  private at = 0;

  constructor(
    private readonly lang: Lang,
    private readonly choices: () => Choice[],
  ) {
    this.field.addEventListener("input", () => this.look());
    this.dialog.addEventListener("keydown", (ev) => this.key(ev));
    this.dialog.addEventListener("click", (ev) => {
      const option = (ev.target as Element).closest("[data-choice]");
      if (ev.target === this.dialog) this.dialog.close();
      else if (option) this.take(Number(option.getAttribute("data-choice")));
    });
  }

  open(): void {
    if (this.dialog.open) {
      this.dialog.close();
      return;
    }
    this.field.value = "";
    this.all = this.choices();
    this.look();
    this.dialog.showModal();
    this.field.focus();
  }

  private look(): void {
    this.shown = fitting(this.all, this.field.value, (w) => word(this.lang, w));
    this.at = 0;
    this.draw();
  }

  private key(ev: KeyboardEvent): void {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[ev.key];
    if (by !== undefined) {
      this.at = Math.max(0, Math.min(this.shown.length - 1, this.at + by));
      this.draw();
    } else if (ev.key === "Enter" && !ev.isComposing) this.take(this.at);
    else if ((ev.ctrlKey || ev.metaKey) && ev.key.toLowerCase() === "k") this.dialog.close();
    else return;
    ev.preventDefault();
    ev.stopPropagation();
  }

  private take(index: number): void {
    const choice = this.shown[index];
    if (!choice) return;
    this.dialog.close();
    choice.run();
  }

  private draw(): void {
    const { lang } = this;
    this.drawing.draw(
      ...this.shown.map((c, i) =>
        h(
          "li",
          {
            key: `${i}`,
            id: `choice-${i}`,
            role: "option",
            "aria-selected": String(i === this.at),
            class: i === this.at ? "now" : "",
            "data-choice": i,
          },
          h("span", { class: "choice-group" }, word(lang, c.group)),
          h("span", { class: "choice-title" }, c.title),
          h("span", { class: "choice-more" }, c.more ?? ""),
        ),
      ),
      ...(this.shown.length === 0
        ? [h("li", { key: "none", class: "hint", role: "option", "aria-disabled": "true" }, word(lang, "paletteNone"))]
        : []),
    );
    this.field.setAttribute("aria-activedescendant", this.shown.length ? `choice-${this.at}` : "");
    this.list.children[this.at]?.scrollIntoView({ block: "nearest" });
  }
}
