// The story for those who do not see the stage: each step that the playhead
// passes is added to a live region, in the words of the caption. None is left out
// while the view plays; where the playhead jumps, only the step it comes to is told.
import { word } from "../i18n/ui.ts";
import { find } from "../panel/html.ts";
import { eventsOfStep } from "../panel/transcript.ts";
import { lowerBound } from "../player/display.ts";
import type { Theatre } from "./theatre.ts";

/** As many lines stay; a screen reader has queued what it has not said yet. */
const LINES = 100;

export class Telling {
  private readonly root = document.createElement("div");
  private told = 0;

  constructor(private readonly theatre: Theatre) {
    this.root.className = "unseen";
    this.root.setAttribute("role", "log");
    this.root.setAttribute("aria-label", word(theatre.lang, "telling"));
    find("[data-status]").after(this.root);
    theatre.draws(() => this.draw());
  }

  private draw(): void {
    const { player } = this.theatre;
    const { steps } = player.timeline;
    const at = player.timeline.stepAt(player.t.value);
    const seq = steps[at] ?? 0;
    if (seq === this.told) return;
    const next = lowerBound(steps, this.told + 1);
    const passes = this.told > 0 && next <= at && (next === at || player.mode.value !== "paused") && at - next < LINES;
    this.told = seq;
    const lines = [];
    for (let i = passes ? next : at; i <= at; i++) lines.push(this.line(i));
    if (!passes) this.root.replaceChildren();
    this.root.append(...lines);
    while (this.root.childElementCount > LINES) this.root.firstElementChild!.remove();
  }

  private line(step: number): HTMLElement {
    const { past, player, words } = this.theatre;
    const line = document.createElement("p");
    line.dataset.seq = String(player.timeline.steps[step] ?? 0);
    line.textContent = words.of(eventsOfStep(player.timeline, past.log, step));
    return line;
  }
}
