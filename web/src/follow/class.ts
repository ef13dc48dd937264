// A class: one page leads, the others follow it, each in its own language. A
// follower that does something by itself wanders off, and comes back when it
// wants to. See server/follow.go for what is said on the wire.
import { effect } from "@preact/signals-core";
import type { Lang } from "../app.ts";
import { word } from "../i18n/ui.ts";
import { find } from "../panel/html.ts";
import type { Player } from "../player/player.ts";
import type { ViewName } from "../view/view.ts";
import type { EventLog } from "../wire/log.ts";
import { goTo, type Place, placeOf } from "./place.ts";
import { ShareDialog } from "./share.ts";
import { type Line, openLine } from "./wire.ts";

export interface ClassParts {
  lang: Lang;
  player: Player;
  log: EventLog;
  /** The caption of the playhead, and of what comes next. */
  caption(): { now: string; evidence: string; next: string; title: string; notes: string };
  view(): ViewName;
  show(view: ViewName): void;
  /** Does what a remote control asks for, by its name in the table of commands. */
  act(command: string): void;
}

const remoteActions = ["forward", "back", "next", "previous", "play", "live"];

const LEADING = "kubestage.leading";

/** Whether this page goes where another one leads. */
export const follows =
  document.body.hasAttribute("data-watching") || new URLSearchParams(location.search).has("follow");

export interface Classroom {
  /** To be called when the player has joined the log: only then is there a place to go to. */
  joined(): void;
  /** Shows how to begin to lead, and how others can follow. */
  present(): void;
}

export function joinClass(parts: ClassParts): Classroom {
  return follows ? new Follower(parts) : new Leader(parts);
}

/** The page's path without its language. */
function pathOf(): string {
  return location.pathname.replace(/^\/(en|ko)\//, "");
}

class Leader implements Classroom {
  private line: Line | undefined;
  private sent = "";
  private told = "";
  private waiting = 0;
  private readonly dialog: ShareDialog;

  constructor(private readonly parts: ClassParts) {
    this.dialog = new ShareDialog(parts.lang, (on) => (on ? this.lead() : this.stop()));
    const { player } = parts;
    effect(() => {
      player.t.value;
      player.mode.value;
      player.speed.value;
      parts.view();
      this.tell();
    });
    // A page of the same window that led before goes on leading.
    if (sessionStorage.getItem(LEADING)) this.lead();
  }

  joined(): void {}

  present(): void {
    void this.dialog.open();
  }

  private lead(): void {
    sessionStorage.setItem(LEADING, "1");
    document.body.dataset.leading = "";
    this.line = openLine("leader", {
      open: () => {
        this.sent = this.told = "";
        this.tell();
      },
      message: (m) => {
        if (m.type === "presence") this.dialog.presence(m.followers);
        if (m.type === "do") this.allowed(m.action);
      },
      // Another page leads now: this one does not fight for it.
      refused: () => this.stop(),
    });
    this.dialog.leading(true);
  }

  private allowed(action: string): void {
    if (remoteActions.includes(action)) this.parts.act(action);
  }

  private stop(): void {
    sessionStorage.removeItem(LEADING);
    delete document.body.dataset.leading;
    this.line?.close();
    this.line = undefined;
    this.dialog.leading(false);
  }

  /** At most ten times a second; a player that moves tells its speed, too. */
  private tell(): void {
    if (!this.line || this.waiting) return;
    this.waiting = window.setTimeout(() => {
      this.waiting = 0;
      if (!this.line) return;
      const { player, log } = this.parts;
      const place = JSON.stringify(placeOf(player, log.id, pathOf(), this.parts.view()));
      if (log.id && place !== this.sent) {
        this.line.send(place);
        this.sent = place;
      }
      const notes = JSON.stringify({ type: "notes", ...this.parts.caption() });
      if (notes !== this.told) {
        this.line.send(notes);
        this.told = notes;
      }
    }, 100);
  }
}

class Follower implements Classroom {
  private place: Place | undefined;
  private leading = false;
  private wandering = false;
  private arrived = true;
  private acting = false;
  private begun = false;
  private readonly bar: HTMLElement;
  private readonly text = document.createElement("span");
  private readonly back = document.createElement("button");

  constructor(private readonly parts: ClassParts) {
    this.bar = find("[data-follow]");
    this.back.type = "button";
    this.back.textContent = word(parts.lang, "followAgain");
    this.back.addEventListener("click", () => {
      this.wandering = false;
      this.go();
    });
    this.bar.append(this.text, this.back);
    this.bar.hidden = false;
    parts.player.onact = () => {
      if (this.acting || !this.begun || !this.place) return;
      this.wandering = true;
      this.draw();
    };
    parts.log.listen({
      append: () => {
        if (!this.arrived) this.go();
      },
      reset: () => {},
    });
    openLine("follower", {
      message: (m) => {
        if (m.type === "presence") this.leading = m.leading;
        if (m.type === "place") {
          this.place = m;
          this.go();
        }
        this.draw();
      },
      refused: () => location.assign("/join"),
    });
    this.draw();
  }

  present(): void {}

  joined(): void {
    this.begun = true;
    this.go();
  }

  private go(): void {
    const { place: p, parts } = this;
    if (!p || !this.begun || this.wandering) return;
    if (p.path !== pathOf()) {
      location.assign(`/${parts.lang}/${p.path}${location.search}`);
      return;
    }
    if (p.log !== parts.log.id) {
      this.arrived = false; // of another start of the program, or before our log has come
      return;
    }
    this.acting = true;
    if (p.view !== parts.view()) parts.show(p.view);
    this.arrived = goTo(parts.player, p);
    this.acting = false;
    this.draw();
  }

  private draw(): void {
    const { lang } = this.parts;
    this.text.textContent = word(lang, this.wandering ? "wandering" : this.leading ? "following" : "nobodyLeads");
    this.back.hidden = !this.wandering;
  }
}
