// What every page with a stage has: the past, a player, what the reader looks
// at, the words for it, the stage and the views, and one frame in which
// everything is drawn. Panels, keys, chapters and a class are added by those
// pages that have them.
import { effect } from "@preact/signals-core";
import { type Place, writePlace } from "../address.ts";
import type { Lang } from "../app.ts";
import { find } from "../panel/html.ts";
import { Player } from "../player/player.ts";
import { Stage } from "../stage/stage.ts";
import type { Moment } from "../view/view.ts";
import { Views } from "../view/views.ts";
import type { KubeEvent } from "../wire/event.ts";
import { instant } from "../wire/instant.ts";
import { type Look, lookAt } from "./look.ts";
import { Past } from "./past.ts";
import type { Source } from "./source.ts";
import { Words } from "./words.ts";

export class Theatre {
  readonly past: Past;
  readonly player: Player;
  readonly look: Look;
  readonly words: Words;
  readonly stage: Stage;
  readonly views: Views;
  /** Whether the player has joined the log: before, there is no place to be at. */
  joined = false;
  /** Called once the player has joined. */
  onjoin: () => void = () => {};

  private frame = 0;
  private readonly drawers: (() => void)[] = [];
  private readonly readers = new Set<(e: KubeEvent) => void>();

  constructor(
    readonly lang: Lang,
    readonly source: Source,
    place: Place,
    keep: number,
  ) {
    const past = new Past(keep);
    this.past = past;
    this.player = new Player(past.log, past.history, {
      now: () => performance.now(),
      request: (fn) => requestAnimationFrame(fn),
      cancel: (id) => cancelAnimationFrame(id),
    });
    const { player } = this;
    player.setSpeed(place.speed);
    const look = lookAt(place);
    this.look = look;
    this.words = new Words(lang, past, player, look, source.recorded);
    this.stage = new Stage(find('[data-mount="stage"]'), {
      lang,
      label: lang === "ko" ? "클러스터" : "The cluster",
      player,
      material: () => ({ log: past.log, history: past.history, stories: past.stories, timeline: player.timeline }),
      selection: look.selection,
      lit: look.lit,
      zoom: look.zoom,
    });
    this.views = new Views(look.view, {
      select: (s) => {
        look.selection.value = s;
      },
      seek: (seq) => player.seek(seq),
      compare: (root) => {
        look.compared.value = root;
      },
      titleOf: (root) => this.words.titleOf(root),
      redraw: () => this.schedule(),
    });
    this.draws(() => this.views.draw(this.moment()));
    effect(() => {
      player.t.value;
      player.mode.value;
      player.changed.value;
      player.loop.value;
      look.selection.value;
      source.link.value;
      look.view.value;
      look.chosen.value;
      look.compared.value;
      this.schedule();
    });
  }

  /** Begins to read the log. */
  open(): void {
    this.source.open(this.past.log, {
      begun: () => {
        this.joined = false;
      },
      empty: () => this.player.join(),
      came: (events) => {
        for (const e of events) for (const read of this.readers) read(e);
      },
      read: () => {
        if (this.joined) return;
        this.joined = true;
        this.player.join();
        this.onjoin();
      },
    });
  }

  /** Calls fn for each event as it comes, in log order; returns what ends that. */
  onEvent(fn: (e: KubeEvent) => void): () => void {
    this.readers.add(fn);
    return () => this.readers.delete(fn);
  }

  /** Calls fn in each frame that draws. */
  draws(fn: () => void): void {
    this.drawers.push(fn);
  }

  schedule(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      for (const draw of this.drawers) draw();
    });
  }

  /** Now, in the time of what one sees: of a recording, its end. */
  now(): number {
    const { log } = this.past;
    return this.source.recorded ? instant(log.get(log.last)?.end ?? "") : this.source.now();
  }

  /** Nothing waits: all the source told of is here, the playhead is at rest, nothing is to be drawn. */
  get idle(): boolean {
    return (
      this.joined && this.past.log.last >= this.source.known && this.player.still && this.stage.idle && this.frame === 0
    );
  }

  /** Where one is now, at an event or following the cluster. */
  address(at: number | null, theme = this.look.theme.value): { search: string; hash: string } {
    const { look, player, past } = this;
    return writePlace(
      {
        at,
        log: past.log.id,
        view: look.view.value,
        story: look.chosen.value,
        compared: look.compared.value,
        focus: look.selection.value,
        open: look.zoom.value ?? "",
        speed: player.speed.value,
        theme,
      },
      location.search,
    );
  }

  private moment(): Moment {
    const { lang, past, look, words } = this;
    return {
      lang,
      log: past.log,
      history: past.history,
      stories: past.stories,
      ledger: past.ledger,
      playhead: this.player.playhead.value,
      focus: words.caption.seq,
      story: words.story,
      compared: look.compared.value,
      selection: look.selection.value,
    };
  }
}
