// The panels around a stage, and the keys and buttons of the whole page.
import { effect } from "@preact/signals-core";
import type { Selection } from "../app.ts";
import { word } from "../i18n/ui.ts";
import { type Command, listen } from "../panel/commands.ts";
import { Controls } from "../panel/controls.ts";
import { find, set } from "../panel/html.ts";
import { Inspector } from "../panel/inspector.ts";
import { legend } from "../panel/legend.ts";
import { Palette } from "../panel/palette.ts";
import { SeekBar } from "../panel/seek.ts";
import { StoriesPanel } from "../panel/stories.ts";
import { type TabName, Tabs } from "../panel/tabs.ts";
import { currentTheme, nextTheme, themeWord } from "../panel/theme.ts";
import { Transcript } from "../panel/transcript.ts";
import { Transport } from "../panel/transport.ts";
import { choicesOf, commandsOf } from "./commands.ts";
import { Doings } from "./doings.ts";
import { Telling } from "./telling.ts";
import type { Theatre } from "./theatre.ts";
import { Writing } from "./writing.ts";

export interface DeskOptions {
  /** Whether there is a cluster of ours that the reader may give orders to. */
  orders: boolean;
  /** Whether the page shows the server's own log, which can be recorded. */
  records: boolean;
  /** What only this page can do. */
  commands(desk: Desk): Command[];
}

export class Desk {
  readonly writing: Writing;
  readonly doings: Doings;
  readonly tabs = new Tabs<TabName>(find('[role="tablist"]'), "notes");
  readonly palette: Palette;
  readonly commands: Command[];

  private readonly transcript: Transcript;
  private readonly dialog = find<HTMLDialogElement>("[data-legend]");

  constructor(
    readonly theatre: Theatre,
    o: DeskOptions,
  ) {
    const { lang, look, past, player, source } = theatre;
    const { log } = past;
    const redraw = () => theatre.schedule();
    this.writing = new Writing(theatre);
    this.doings = new Doings(theatre, (text) => this.writing.tell(text));
    this.transcript = new Transcript(
      find('[data-mount="transcript"]'),
      lang,
      log,
      (seq) => {
        look.selection.value = { type: "event", seq };
        player.seek(seq);
      },
      redraw,
    );
    const controls = new Controls(lang, log, o.orders, redraw);
    const inspector = new Inspector(find('[data-mount="inspector"]'), lang, log, past.history, controls, {
      choose: (s) => {
        look.selection.value = s;
      },
      seek: (seq) => player.seek(seq),
    });
    const stories = this.stories(o.records);
    const transport = new Transport(lang, player, source.recorded);
    const seekBar = new SeekBar(find("[data-seek]"), lang, player, log, () => past.milestones.list, redraw);
    const pin = find('[data-action="pin"]');

    this.commands = commandsOf(this, o.commands(this));
    listen(this.commands);
    legend(find('[data-mount="legend"]'), lang, this.commands);
    this.palette = new Palette(lang, () => choicesOf(this));
    this.dialog.addEventListener("click", (ev) => {
      if (ev.target === this.dialog || (ev.target as Element).closest("[data-close]")) this.dialog.close();
    });
    this.dialog.addEventListener("keydown", (ev) => {
      if (ev.key === "?") this.dialog.close();
    });
    this.showTheme();
    new Telling(theatre);

    theatre.draws(() => {
      transport.draw(source.link.value, theatre.now());
      seekBar.draw();
      set(pin, "aria-pressed", String(look.chosen.value !== 0));
      if (this.tabs.current === "transcript") this.transcript.draw(player.timeline, player.t.value);
      if (this.tabs.current === "stories") stories.draw();
      if (this.tabs.current === "inspector") inspector.draw(look.selection.value, player.playhead.value);
    });
    this.tabs.onchange = redraw;
    let seen: Selection | null = null;
    effect(() => {
      const s = look.selection.value;
      if (s && s !== seen) this.tabs.show("inspector");
      seen = s;
    });
    // The clock goes on while nothing else does.
    setInterval(() => {
      if (player.mode.value !== "live") redraw();
    }, 1000);
  }

  private stories(records: boolean): StoriesPanel {
    const { theatre } = this;
    const { lang, look, past, player, words } = theatre;
    return new StoriesPanel(find('[data-mount="stories"]'), {
      lang,
      live: records,
      stories: () =>
        past.stories
          .all()
          .filter((s) => s.events.length > 1 || past.log.get(s.root)?.kind === "request")
          .map((s) => ({
            id: String(s.root),
            root: s.root,
            last: s.events[s.events.length - 1] ?? s.root,
            title: words.titleOf(s.root),
            events: s.events.length,
            actors: s.actors.size,
            start: past.log.get(s.root)?.start ?? "",
            took: Math.max(0, s.to - s.from),
            settled: past.stories.settled(s),
          })),
      chosen: () => look.chosen.value,
      playhead: () => player.playhead.value,
      bounds: () => ({ first: past.log.first, last: past.log.last }),
      choose: (l) => this.doings.chooseStory(l.root),
      redraw: () => theatre.schedule(),
    });
  }

  copyTranscript(): void {
    const { lang, player, words } = this.theatre;
    const text = this.transcript.markdown(player.timeline, player.t.value, words.title);
    void this.writing.copy(text, word(lang, "copied"));
  }

  toggleLegend(): void {
    if (this.dialog.open) this.dialog.close();
    else this.dialog.showModal();
  }

  nextTheme(): void {
    nextTheme();
    this.theatre.look.theme.value = "";
    this.showTheme();
  }

  private showTheme(): void {
    find("[data-theme-name]").textContent = themeWord(this.theatre.lang, currentTheme());
  }

  /** Closes what is open on the stage, or else what is told of what was chosen. */
  escape(): void {
    const { look } = this.theatre;
    if (look.zoom.value) {
      look.zoom.value = null;
      return;
    }
    look.selection.value = null;
    this.tabs.show("notes");
  }
}
