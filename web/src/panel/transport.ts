// The row under the stage: speed, the two clocks, and how its buttons look.
import type { Lang } from "../app.ts";
import { duration, word } from "../i18n/ui.ts";
import type { Milestone } from "../model/milestones.ts";
import type { Player } from "../player/player.ts";
import type { Link } from "../wire/socket.ts";
import { find, set, write } from "./html.ts";

export function speedWords(speed: number): string {
  return speed >= 1 ? "1×" : `1/${Math.round(1 / speed)}×`;
}

/** The milestone to jump to from a playhead. */
export function milestoneFrom(list: readonly Milestone[], playhead: number, by: 1 | -1): number | null {
  if (by > 0) return list.find((m) => m.seq > playhead)?.seq ?? null;
  for (let i = list.length - 1; i >= 0; i--) if (list[i]!.seq < playhead) return list[i]!.seq;
  return null;
}

export class Transport {
  private readonly play = find<HTMLButtonElement>('[data-action="play"]');
  private readonly live = find<HTMLButtonElement>('[data-action="live"]');
  private readonly clock = find("[data-clock]");
  private readonly speed = find("[data-speed]");

  private readonly loop = find<HTMLButtonElement>('[data-action="loop"]');

  constructor(
    private readonly lang: Lang,
    private readonly player: Player,
    /** Whether all has happened already, so that there is an end and nothing live. */
    private readonly over: boolean,
  ) {
    find("[data-seek]").addEventListener("keydown", (ev) => {
      if (ev.key === "Home") player.seek(player.timeline.first);
      else if (ev.key === "End") player.catchUp();
      else return;
      ev.preventDefault();
    });
  }

  draw(link: Link, now: number): void {
    const { player, lang } = this;
    const mode = player.mode.value;
    const paused = mode === "paused";
    drawPlay(this.play, lang, paused);
    const loops = player.loop.value !== null;
    const loopName = word(lang, loops ? "loopOff" : "loop");
    if (this.loop.getAttribute("aria-label") !== loopName) {
      this.loop.setAttribute("aria-label", loopName);
      this.loop.title = loopName;
    }
    set(this.loop, "aria-pressed", String(loops));
    const behind = behindBy(player, now);
    const live = mode === "live" && behind === 0;
    write(this.live, word(lang, live ? (this.over ? "end" : "live") : this.over ? "toEnd" : "catchUp"));
    this.live.classList.toggle("on", live);
    write(this.speed, speedWords(player.speed.value));
    let says: string;
    if (link === "lost") says = word(lang, "lost");
    else if (link === "connecting" && player.timeline.last < player.timeline.first) says = word(lang, "connecting");
    else if (behind > 0) says = word(lang, this.over ? "beforeEnd" : "viewing", duration(lang, Math.max(100, behind)));
    else says = word(lang, paused ? "pausedAt" : this.over ? "end" : "liveNow");
    write(this.clock, says);
    this.clock.classList.toggle("bad", link === "lost");
  }
}

/** How a button that plays and stops looks. */
export function drawPlay(button: Element, lang: Lang, paused: boolean): void {
  const name = word(lang, paused ? "play" : "pause");
  if (button.getAttribute("aria-label") === name && button.classList.contains("paused") === paused) return;
  button.setAttribute("aria-label", name);
  button.classList.toggle("paused", paused);
}

/** How long ago, in the cluster's time, happened what is seen next; 0 when nothing waits. */
export function behindBy(player: Player, now: number): number {
  const l = player.timeline;
  const next = l.steps[l.stepAt(player.t.value) + 1];
  if (next === undefined) return 0;
  const real = l.real[next - l.first];
  return real === undefined || Number.isNaN(real) ? 0 : Math.max(1, now - real);
}
