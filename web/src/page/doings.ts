// What a person can do to the view that takes more than one call: steps of a
// story, loops, the climb from an event to what caused it.
import { batch } from "@preact/signals-core";
import { word } from "../i18n/ui.ts";
import { milestoneFrom } from "../panel/transport.ts";
import { lowerBound } from "../player/display.ts";
import type { Theatre } from "./theatre.ts";

export class Doings {
  private climbing = { from: 0, at: 0 };

  constructor(
    private readonly theatre: Theatre,
    /** Tells those who do not see the page. */
    private readonly tell: (text: string) => void,
  ) {}

  chooseStory(root: number): void {
    this.theatre.look.chosen.value = root;
    this.theatre.player.seek(root);
  }

  catchUp(): void {
    this.theatre.look.chosen.value = 0;
    this.theatre.player.catchUp();
  }

  step(by: 1 | -1): void {
    const { lang, look, past, player } = this.theatre;
    const story = look.chosen.value ? past.stories.get(look.chosen.value) : undefined;
    const l = player.timeline;
    const stepped = player.step(
      by,
      story?.events.filter((seq) => l.steps[lowerBound(l.steps, seq)] === seq),
    );
    this.tell(story && !stepped ? word(lang, by > 0 ? "storyEnds" : "storyBegins") : "");
  }

  milestone(by: 1 | -1): void {
    const { past, player } = this.theatre;
    const to = milestoneFrom(past.milestones.list, player.playhead.value, by);
    if (to !== null) player.seek(to);
    else if (by > 0) this.catchUp();
  }

  replay(): void {
    const { story } = this.theatre.words;
    if (story) this.theatre.player.seek(story.root);
  }

  pin(): void {
    const { lang, look, words } = this.theatre;
    look.chosen.value = look.chosen.value ? 0 : (words.story?.root ?? 0);
    this.tell(word(lang, look.chosen.value ? "pinned" : "unpin"));
  }

  loopFrom(edge: "from" | "to"): void {
    const { past, player, words } = this.theatre;
    const at = words.caption.seq;
    const other = player.loop.value?.[edge === "from" ? "to" : "from"];
    const { story } = words;
    const end = story?.events[story.events.length - 1] ?? past.log.last;
    player.setLoop(
      edge === "from"
        ? { from: at, to: other && other > at ? other : Math.max(at, end) }
        : { from: other && other < at ? other : (story?.root ?? past.log.first), to: at },
    );
    this.tellLoop();
  }

  toggleLoop(): void {
    const { player, words } = this.theatre;
    const { story } = words;
    if (player.loop.value || !story) player.setLoop(null);
    else {
      player.setLoop({ from: story.root, to: story.events[story.events.length - 1] ?? story.root });
      player.play();
    }
    this.tellLoop();
  }

  private tellLoop(): void {
    const l = this.theatre.player.loop.value;
    this.tell(word(this.theatre.lang, l ? "looping" : "loopOff", l ? `${l.from}–${l.to}` : undefined));
  }

  /** Beside the story one is in, the one before it. */
  compare(): void {
    const { look, past, views, words } = this.theatre;
    const { story } = words;
    const before = past.stories.all().findLast((s) => story && s.root < story.root && s.events.length > 3);
    batch(() => {
      look.chosen.value = story?.root ?? 0;
      look.compared.value = look.compared.value ? 0 : (before?.root ?? 0);
      views.show("sequence");
    });
  }

  /**
   * What happened here; asked again, what that came of, and so on up to the beginning. seen says whether the answer
   * to the last question is still before the reader.
   */
  why(seen: boolean): void {
    const { look, past, words } = this.theatre;
    const { seq } = words.caption;
    const at = seen && this.climbing.from === seq && look.selection.value?.type === "event" ? this.climbing.at : 0;
    const cause = at ? past.log.get(at)?.causes?.find((c) => past.log.get(c.seq))?.seq : seq;
    if (!cause) return;
    this.climbing = { from: seq, at: cause };
    look.selection.value = { type: "event", seq: cause };
    const e = past.log.get(cause);
    if (e) this.tell(words.of([e]));
  }

  /** Opens the i-th part that has an inside, or closes it. */
  zoom(i: number): void {
    const { look, stage, views } = this.theatre;
    const to = stage.zoomOf(i);
    if (!to) return;
    views.show("stage");
    look.zoom.value = look.zoom.value === to ? null : to;
  }
}
