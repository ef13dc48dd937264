// What is said of the playhead: the caption of its step, its evidence, and the
// name of the story it is in.
import type { Lang } from "../app.ts";
import { caption, componentName, evidenceWords } from "../i18n/captions.ts";
import { duration, ui, type Word, word } from "../i18n/ui.ts";
import { actorName } from "../i18n/words.ts";
import { actorOf } from "../model/actor.ts";
import type { Story } from "../model/story.ts";
import { eventsOfStep } from "../panel/transcript.ts";
import type { Timeline } from "../player/display.ts";
import type { Player } from "../player/player.ts";
import { labelOf } from "../stage/tokens.ts";
import type { KubeEvent } from "../wire/event.ts";
import type { Look } from "./look.ts";
import type { Past } from "./past.ts";

export interface Caption {
  text: string;
  evidence: string;
  /** The last event of the step; 0 before the first. */
  seq: number;
}

export class Words {
  /** The step that was asked about last: until the next comes, every frame asks again. */
  private last: { timeline: Timeline; event: number; caption: Caption } | null = null;

  constructor(
    private readonly lang: Lang,
    private readonly past: Past,
    private readonly player: Player,
    private readonly look: Look,
    private readonly recorded: boolean,
  ) {}

  get caption(): Caption {
    const { now } = this;
    return now.seq
      ? now
      : { ...now, text: word(this.lang, this.empty ? "waitingCaption" : this.recorded ? "calmRecorded" : "calm") };
  }

  /** Of the step after the one at the playhead. */
  get next(): Caption {
    return this.captionOf(this.step + 1);
  }

  /** The story that is chosen, or the one the playhead is in. */
  get story(): Story | undefined {
    const { stories } = this.past;
    const { value: chosen } = this.look.chosen;
    return (chosen && stories.get(chosen)) || stories.of(this.now.seq);
  }

  get title(): string {
    const { story } = this;
    return story ? this.titleOf(story.root) : "Kubestage";
  }

  /** What stands above the stage. */
  get head(): { title: string; facts: string } {
    const { lang, story } = this;
    const root = story && this.past.log.get(story.root);
    if (!story || !root) return { title: word(lang, this.empty ? "waitingTitle" : "restTitle"), facts: "" };
    const facts = [
      word(lang, story.events.length === 1 ? "eventOf" : "eventsOf", story.events.length),
      word(lang, "actorsOf", story.actors.size),
      duration(lang, Math.max(0, story.to - story.from)),
    ].join(" · ");
    const quiet = root.kind === "component" && story.events.length < 2;
    return { title: this.titleOf(story.root), facts: quiet ? "" : facts };
  }

  /** Of the story that grew out of an event. */
  titleOf(seq: number): string {
    const { lang } = this;
    const root = this.past.log.get(seq);
    if (!root) return "";
    if (root.kind === "component") {
      const early = (root.verb === "starting" || root.verb === "ready") && !root.detail?.restarts && !root.detail?.by;
      const health =
        root.verb === "backoff" ? word(lang, "exited") : root.verb in ui ? word(lang, root.verb as Word) : root.verb;
      return early ? word(lang, "startsTitle") : `${componentName(lang, root.to ?? "")}: ${health}`;
    }
    if (root.kind === "link") return this.of([root]);
    const agent = typeof root.detail?.userAgent === "string" ? root.detail.userAgent : "";
    const label = labelOf(root) || `${root.kind} ${root.verb}`;
    return `${actorName(lang, actorOf(root.from), agent)}: ${label}`;
  }

  of(events: readonly KubeEvent[]): string {
    return caption(this.lang, { events: [...events], event: (s) => this.past.log.get(s) });
  }

  private captionOf(step: number): Caption {
    const events = eventsOfStep(this.player.timeline, this.past.log, step);
    const e = events[events.length - 1];
    if (!e) return { text: "", evidence: "", seq: 0 };
    return { text: this.of(events), evidence: evidenceWords(this.lang, e), seq: e.seq };
  }

  private get now(): Caption {
    const { timeline } = this.player;
    const { step } = this;
    const event = timeline.steps[step] ?? 0;
    // A step that grows has another last event; what it was told with does not change.
    if (this.last?.timeline !== timeline || this.last.event !== event)
      this.last = { timeline, event, caption: this.captionOf(step) };
    return this.last.caption;
  }

  private get step(): number {
    return this.player.timeline.stepAt(this.player.t.value);
  }

  private get empty(): boolean {
    return this.past.log.last < this.past.log.first;
  }
}
