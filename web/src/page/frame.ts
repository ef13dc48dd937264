// The stage as a frame in another page: few buttons, and a conversation with
// that page. What is said is in docs/embed.md.
import { effect } from "@preact/signals-core";
import { type Command, listen } from "../panel/commands.ts";
import { find } from "../panel/html.ts";
import { SeekBar } from "../panel/seek.ts";
import { currentTheme, isTheme } from "../panel/theme.ts";
import { drawPlay } from "../panel/transport.ts";
import { numberThere } from "../wire/recording.ts";
import { Doings } from "./doings.ts";
import type { Embedded } from "./embedded.ts";
import type { Theatre } from "./theatre.ts";
import { Writing } from "./writing.ts";

/** Of the messages; raised when an older page would misunderstand a newer frame. */
export const PROTOCOL = 1;

/** What the other page says. */
interface Order {
  kubestage: number;
  type: string;
  [field: string]: unknown;
}

export class Frame {
  readonly doings: Doings;
  /** Who listens, once somebody has said so: only there goes what is on the stage. */
  private listener: string | null = null;
  private told = new Map<string, string>();

  constructor(
    private readonly theatre: Theatre,
    private readonly source: Embedded,
    /** Where the server shows the same; "" in a file. */
    private readonly open: string,
  ) {
    const { lang, past, player } = theatre;
    const writing = new Writing(theatre);
    this.doings = new Doings(theatre, (text) => writing.tell(text));
    const commands: Command[] = [
      { id: "play", says: "doPlay", keys: [" ", "."], run: () => this.play() },
      { id: "back", says: "doBack", keys: ["ArrowLeft"], run: () => this.doings.step(-1) },
      { id: "forward", says: "doForward", keys: ["ArrowRight"], run: () => this.doings.step(1) },
      {
        id: "escape",
        says: "doEscape",
        keys: ["Escape"],
        run: () => {
          theatre.look.zoom.value = null;
        },
      },
    ];
    listen(commands);
    const seek = new SeekBar(
      find("[data-seek]"),
      lang,
      player,
      past.log,
      () => past.milestones.list,
      () => theatre.schedule(),
    );
    const button = find('[data-action="play"]');
    const link = find<HTMLAnchorElement>("[data-open-link]");
    theatre.draws(() => {
      seek.draw();
      drawPlay(button, lang, this.resting);
      link.href = this.elsewhere();
      this.tell();
    });
    window.addEventListener("message", (ev) => {
      if (ev.source === window.parent && ev.source !== window) this.hear(ev.data, ev.origin);
    });
    const join = theatre.onjoin;
    theatre.onjoin = () => {
      join();
      // Says that there is a frame, and nothing of what is in it: who asks will be answered.
      if (window.parent !== window) window.parent.postMessage({ kubestage: PROTOCOL, type: "ready" }, "*");
    };
    effect(() => {
      player.playhead.value;
      theatre.schedule();
    });
  }

  /** A recording that came to its end does not go on by itself. */
  private get resting(): boolean {
    const { player } = this.theatre;
    return player.mode.value === "paused" || player.still;
  }

  private play(): void {
    const { player } = this.theatre;
    if (!this.resting) player.pause();
    else {
      if (player.still && player.t.value >= player.rest) player.scrub(0);
      player.play();
    }
  }

  private hear(said: unknown, origin: string): void {
    const order = said as Order | null;
    if (typeof order !== "object" || order?.kubestage !== PROTOCOL || typeof order.type !== "string") return;
    const { player, past } = this.theatre;
    switch (order.type) {
      case "listen":
        // A page without an origin of its own, as a file is, cannot be named.
        this.listener = origin === "null" ? "*" : origin;
        this.told.clear();
        break;
      case "play":
        if (this.resting) this.play();
        break;
      case "pause":
        player.pause();
        break;
      case "seek":
        if (Number.isInteger(order.seq))
          player.seek(Math.min(Math.max(order.seq as number, past.log.first), past.log.last));
        break;
      case "step":
        if (order.by === 1 || order.by === -1) this.doings.step(order.by);
        break;
      case "language":
        if (order.lang === "ko" || order.lang === "en") this.reload(order.lang);
        break;
      case "theme":
        if (isTheme(order.theme)) document.documentElement.dataset.theme = order.theme;
        break;
      default:
        return; // of a newer page
    }
    this.theatre.schedule();
  }

  /** The page is there in both languages, and one of them is taken as it is opened. */
  private reload(lang: string): void {
    if (lang === this.theatre.lang) return;
    const { search, hash } = this.theatre.address(this.theatre.player.playhead.value, currentTheme());
    const q = new URLSearchParams(search);
    q.set("lang", lang);
    location.replace(`${location.pathname}?${q}${hash}`);
  }

  /** Tells what has changed since it was told last. */
  private tell(): void {
    const { listener, theatre } = this;
    if (listener === null || !theatre.joined) return;
    const { player, past, words } = theatre;
    const say = (type: string, what: object) => {
      const text = JSON.stringify(what);
      if (this.told.get(type) === text) return;
      this.told.set(type, text);
      window.parent.postMessage({ kubestage: PROTOCOL, type, ...what }, listener);
    };
    const c = words.caption;
    say("playhead", {
      seq: player.playhead.value,
      first: past.log.first,
      last: past.log.last,
      playing: !this.resting,
    });
    say("caption", { seq: c.seq, text: c.text, evidence: c.evidence, lang: theatre.lang });
    const { timeline } = player;
    if (timeline.stepAt(player.t.value) === timeline.steps.length - 1) say("ended", {});
    else this.told.delete("ended");
  }

  /** The same moment in Kubestage itself, or in the whole page of a file. */
  private elsewhere(): string {
    const { lang, player, past } = this.theatre;
    const { search, hash } = this.theatre.address(player.playhead.value);
    if (!this.open) {
      const q = new URLSearchParams(search);
      q.delete("frame");
      q.set("lang", lang);
      return `${location.pathname}?${q}${hash}`;
    }
    const to = new URL(`/${lang}${this.open}`, location.href);
    if (!to.searchParams.has("recording")) {
      // Of the server's own log, where everything has other numbers.
      const { header } = this.source;
      const at = numberThere(header, player.playhead.value);
      return `${to.pathname}${to.search}${at && header.log ? `#at=${at}&log=${header.log}` : ""}`;
    }
    return `${to.pathname}${to.search}${past.log.id ? hash : ""}`;
  }
}
