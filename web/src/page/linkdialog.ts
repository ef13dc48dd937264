// What somebody may take from a moment into their notes: a link, the stage as
// a frame, a picture, or the whole run as a page of its own.
import { type Word, word } from "../i18n/ui.ts";
import { htmlDrawing } from "../panel/html.ts";
import { currentTheme } from "../panel/theme.ts";
import { h, type VNode } from "../stage/node.ts";
import { savePicture } from "./picture.ts";
import type { Theatre } from "./theatre.ts";
import type { Writing } from "./writing.ts";

export interface LinkDialogOptions {
  /** The recording this page plays in place of the server's log; null for none. */
  recording: string | null;
  /** Whether the server makes pages and frames for who looks at this one. */
  serves: boolean;
}

export class LinkDialog {
  private readonly dialog = document.createElement("dialog");
  private readonly drawing = htmlDrawing(this.dialog);
  private said = "";

  constructor(
    private readonly theatre: Theatre,
    private readonly writing: Writing,
    private readonly o: LinkDialogOptions,
  ) {
    this.dialog.className = "legend link-dialog";
    this.dialog.setAttribute("aria-labelledby", "link-title");
    document.body.append(this.dialog);
    this.dialog.addEventListener("click", (ev) => {
      const target = ev.target as Element;
      const copy = target.closest("[data-copy]")?.getAttribute("data-copy");
      const picture = target.closest("[data-picture]")?.getAttribute("data-picture");
      if (target === this.dialog || target.closest("[data-close]")) this.dialog.close();
      else if (copy === "link" || copy === "frame") void this.copy(copy);
      else if (picture === "svg" || picture === "png") void savePicture(this.theatre, picture);
    });
  }

  /** Most want the link: it is copied as the dialog opens. */
  async open(): Promise<void> {
    this.said = "";
    this.draw();
    this.dialog.showModal();
    await this.copy("link");
  }

  private async copy(what: "link" | "frame"): Promise<void> {
    const { lang } = this.theatre;
    const done = await this.writing.copy(
      what === "link" ? this.link : this.frame,
      word(lang, what === "link" ? "linkCopied" : "frameCopied"),
    );
    this.said = done;
    this.draw();
  }

  private draw(): void {
    const { lang, player } = this.theatre;
    const w = (name: Word) => word(lang, name);
    const text = (what: "link" | "frame", says: Word, value: string): VNode =>
      h(
        "p",
        { key: what, class: "link-row" },
        h("label", null, h("span", null, w(says)), h("input", { type: "text", readonly: true, value })),
        h("button", { type: "button", class: "small-button", "data-copy": what }, w("copyIt")),
      );
    const picture = (as: "svg" | "png"): VNode =>
      h("button", { type: "button", class: "small-button", "data-picture": as }, as.toUpperCase());
    const page = (key: string, says: string, query: string): VNode =>
      h("a", { key, class: "small-button", href: `/api/export?${query}&lang=${lang}`, download: "" }, says);
    const { story } = this.theatre.words;
    const loop = player.loop.value;
    const pages: VNode[] = this.o.recording
      ? [page("recording", w("exportRecording"), `recording=${this.o.recording}`)]
      : [
          ...(story ? [page("story", w("exportStory"), `story=${story.root}`)] : []),
          ...(loop
            ? [page("loop", word(lang, "exportLoop", `${loop.from}–${loop.to}`), `from=${loop.from}&to=${loop.to}`)]
            : []),
          page("all", w("exportAll"), `from=${this.theatre.past.log.first}`),
        ];
    this.drawing.draw(
      h(
        "div",
        { key: "head", class: "legend-head" },
        h("h2", { id: "link-title" }, w("linkTitle")),
        h("button", { type: "button", "data-close": true }, w("close")),
      ),
      h("p", { key: "said", role: "status", class: "hint" }, this.said),
      text("link", "linkMarkdown", this.link),
      ...(this.o.serves ? [text("frame", "linkFrame", this.frame)] : []),
      h("h3", { key: "ph" }, w("linkPicture")),
      h("p", { key: "pictures", class: "order-row" }, picture("svg"), picture("png")),
      ...(this.o.serves
        ? [
            h("h3", { key: "eh" }, w("exportTitle")),
            h("p", { key: "ew", class: "hint" }, w("exportWords")),
            h("p", { key: "pages", class: "order-row" }, pages),
          ]
        : []),
    );
  }

  /** Asks the server for this run, or for the story one is in, as a page. */
  export(): void {
    this.draw();
    this.dialog.querySelector<HTMLAnchorElement>("a[download]")?.click();
  }

  private get link(): string {
    const { player, words } = this.theatre;
    const { search, hash } = this.theatre.address(player.playhead.value, currentTheme());
    const url = `${location.origin}${location.pathname}${search}${hash}`;
    // Marks in a link's text would end it.
    const text = `${words.title}: ${words.caption.text}`.replace(/[[\]]/g, "\\$&");
    return `[${text}](${url})`;
  }

  private get frame(): string {
    const { past, player, words, lang } = this.theatre;
    const { search, hash } = this.theatre.address(player.playhead.value, currentTheme());
    const q = new URLSearchParams(search);
    q.delete("recording");
    q.set("lang", lang);
    let path = `recording/${this.o.recording}`;
    if (!this.o.recording) {
      path = `story/${words.story?.root ?? past.log.first}`;
      q.set("log", past.log.id);
    }
    const url = `${location.origin}/embed/${path}?${q}${hash}`.replace(/&/g, "&amp;");
    const title = words.title.replace(/&/g, "&amp;").replace(/"/g, "&quot;");
    return `<iframe src="${url}" title="${title}" width="100%" height="520"></iframe>`;
  }
}
