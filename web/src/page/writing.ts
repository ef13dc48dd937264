// What is written around the stage: the story above it, the caption below, a
// line that stays, and what a screen reader is told.
import { word } from "../i18n/ui.ts";
import { find, write } from "../panel/html.ts";
import { widthOf } from "../stage/measure.ts";
import type { Theatre } from "./theatre.ts";

/** How wide, in widths of an em, a caption may be before a small window tells it in smaller letters. */
const LONG = 68;

export class Writing {
  private readonly text = find("[data-caption-text]");
  private readonly evidence = find("[data-caption-evidence]");
  private readonly title = find("[data-story-title]");
  private readonly facts = find("[data-story-facts]");
  private readonly status = find("[data-status]");
  private said = "";

  constructor(private readonly theatre: Theatre) {
    theatre.draws(() => this.draw());
  }

  /** Tells those who do not see the page. */
  tell(text: string): void {
    this.status.textContent = text;
  }

  /** A line above the stage that stays until something else is done. */
  notice(text: string, ...more: Element[]): void {
    const note = find("[data-replay]");
    note.replaceChildren(text, ...more);
    note.title = text.trim();
    note.hidden = text === "";
  }

  /** Says for a moment, where the caption is, that something was done. */
  flash(text: string): void {
    this.said = text;
    this.theatre.schedule();
    window.setTimeout(() => {
      this.said = "";
      this.theatre.schedule();
    }, 2500);
  }

  /** Returns what it said of it. */
  async copy(text: string, done: string): Promise<string> {
    try {
      await navigator.clipboard.writeText(text);
      this.tell(done);
    } catch {
      done = word(this.theatre.lang, "cannotCopy");
    }
    this.flash(done);
    return done;
  }

  private draw(): void {
    const { words } = this.theatre;
    const c = words.caption;
    write(this.text, this.said || c.text);
    this.text.classList.toggle("long", !this.said && widthOf(c.text, 1) > LONG);
    write(this.evidence, this.said ? "" : c.evidence);
    const s = words.head;
    write(this.title, s.title);
    write(this.facts, s.facts);
  }
}
