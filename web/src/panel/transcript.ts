// The transcript: the foreground in words, one line a step, the newest at the
// bottom. It is the story for those who do not see the picture.
import type { Lang } from "../app.ts";
import { caption, evidenceWords } from "../i18n/captions.ts";
import { word } from "../i18n/ui.ts";
import { lowerBound, type Timeline } from "../player/display.ts";
import { h, type VNode } from "../stage/node.ts";
import { deedOf } from "../stage/tokens.ts";
import { instant } from "../wire/instant.ts";
import type { EventLog } from "../wire/log.ts";
import { htmlDrawing } from "./html.ts";

const LINES = 120;

/** The events of a step: the foreground events between the step before it and itself. */
export function eventsOfStep(timeline: Timeline, log: EventLog, index: number) {
  const last = timeline.steps[index];
  if (last === undefined) return [];
  const before = timeline.steps[index - 1] ?? 0;
  const seqs = timeline.foreground.slice(
    lowerBound(timeline.foreground, before + 1),
    lowerBound(timeline.foreground, last + 1),
  );
  return seqs.map((s) => log.get(s)).filter((e) => e !== undefined);
}

export function clockTime(text: string): string {
  const d = new Date(instant(text));
  if (Number.isNaN(d.getTime())) return "";
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, "0")}`;
}

export class Transcript {
  private readonly drawing;
  private lines = LINES;
  private last = "";

  constructor(
    private readonly root: HTMLElement,
    private readonly lang: Lang,
    private readonly log: EventLog,
    choose: (seq: number) => void,
    private readonly redraw: () => void,
  ) {
    this.drawing = htmlDrawing(root);
    root.addEventListener("click", (ev) => {
      const target = ev.target as Element;
      const line = target.closest("[data-seq]");
      if (line) choose(Number(line.getAttribute("data-seq")));
      if (target.closest("[data-earlier]")) {
        this.lines += LINES;
        this.redraw();
      }
    });
  }

  draw(timeline: Timeline, t: number): void {
    const at = timeline.stepAt(t);
    const key = `${timeline.speed} ${timeline.first} ${at} ${this.lines}`;
    if (key === this.last) return;
    this.last = key;
    const from = Math.max(0, at - this.lines + 1);
    const rows: VNode[] = [];
    for (let i = from; i <= at; i++) rows.push(this.row(timeline, i, i === at));
    const bottom = this.root.parentElement;
    const follows = bottom ? bottom.scrollHeight - bottom.scrollTop - bottom.clientHeight < 60 : false;
    this.drawing.draw(
      h(
        "button",
        { key: "copy", type: "button", class: "earlier", "data-action": "transcript" },
        word(this.lang, "copyTranscript"),
      ),
      from > 0
        ? h(
            "button",
            { key: "earlier", type: "button", class: "earlier", "data-earlier": true },
            word(this.lang, "earlier"),
          )
        : h("span", { key: "none" }),
      rows.length === 0
        ? h("p", { key: "empty", class: "hint" }, word(this.lang, "emptyTranscript"))
        : h(
            "table",
            { key: "table", class: "transcript" },
            h("caption", { class: "unseen" }, word(this.lang, "transcriptTitle")),
            h(
              "thead",
              { class: "unseen" },
              h(
                "tr",
                null,
                h("th", { scope: "col" }, word(this.lang, "transcriptTime")),
                h("th", { scope: "col" }, word(this.lang, "transcriptWhat")),
              ),
            ),
            h("tbody", null, rows),
          ),
    );
    if (bottom && (follows || at < this.lines)) bottom.scrollTop = bottom.scrollHeight;
  }

  /** What has happened as a Markdown list, for notes. */
  markdown(timeline: Timeline, t: number, title: string): string {
    const at = timeline.stepAt(t);
    const out = [`## ${title}`, ""];
    for (let i = Math.max(0, at - this.lines + 1); i <= at; i++) {
      const events = eventsOfStep(timeline, this.log, i);
      const e = events[events.length - 1];
      if (e)
        out.push(
          `- \`${clockTime(e.end)}\` ${caption(this.lang, { events, event: (s) => this.log.get(s) })} (${evidenceWords(this.lang, e)})`,
        );
    }
    return `${out.join("\n")}\n`;
  }

  private row(timeline: Timeline, index: number, now: boolean): VNode {
    const events = eventsOfStep(timeline, this.log, index);
    const e = events[events.length - 1];
    const seq = timeline.steps[index]!;
    if (!e) return h("tr", { key: `s${seq}` });
    const told = caption(this.lang, { events, event: (s) => this.log.get(s) });
    return h(
      "tr",
      {
        key: `s${seq}`,
        class: `deed-${(e.code ?? 0) >= 400 && e.kind === "request" ? "delete" : deedOf(e)}${now ? " now" : ""}`,
        "aria-current": now ? "true" : undefined,
      },
      h("td", { class: "time", title: clockTime(e.end) }, clockTime(e.end).slice(3)),
      h(
        "td",
        null,
        h(
          "button",
          {
            type: "button",
            "data-seq": seq,
            title: evidenceWords(this.lang, e),
            class: e.evidence.how === "inferred" ? "inferred" : "",
          },
          told,
        ),
      ),
    );
  }
}
