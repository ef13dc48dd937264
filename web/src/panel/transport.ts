// The row under the stage: buttons, speed, the two clocks; and the keys that
// do the same.
import type { Lang } from "../app.ts";
import { duration, word } from "../i18n/ui.ts";
import type { Milestone } from "../model/milestones.ts";
import type { Player } from "../player/player.ts";
import type { Link } from "../wire/socket.ts";
import { find } from "./html.ts";

export function speedWords(speed: number): string {
  return speed >= 1 ? "1×" : `1/${Math.round(1 / speed)}×`;
}

export interface Actions {
  step(by: 1 | -1): void;
  milestone(by: 1 | -1): void;
  legend(): void;
  theme(): void;
  inspect(): void;
  escape(): void;
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

  constructor(
    private readonly lang: Lang,
    private readonly player: Player,
    private readonly actions: Actions,
  ) {
    const act: Record<string, () => void> = {
      play: () => player.toggle(),
      back: () => actions.step(-1),
      forward: () => actions.step(1),
      previous: () => actions.milestone(-1),
      next: () => actions.milestone(1),
      slower: () => player.faster(-1),
      faster: () => player.faster(1),
      live: () => player.catchUp(),
      legend: () => actions.legend(),
      "close-legend": () => actions.legend(),
      theme: () => actions.theme(),
    };
    for (const b of document.querySelectorAll<HTMLElement>("[data-action]")) {
      const run = act[b.dataset.action ?? ""];
      if (run) b.addEventListener("click", run);
    }
    document.addEventListener("keydown", (ev) => this.key(ev));
  }

  private key(ev: KeyboardEvent): void {
    if (ev.ctrlKey || ev.metaKey || ev.altKey || ev.defaultPrevented) return;
    const at = ev.target as HTMLElement | null;
    if (at?.closest("input, textarea, select, [contenteditable], [role=textbox], dialog")) return;
    const presses = at?.closest("button, a, summary, [role=tab]");
    const { player, actions } = this;
    const scrolls = at?.closest("pre, .panel");
    switch (ev.key) {
      case " ":
        if (presses || at?.closest("[data-part], [data-object]")) return;
        player.toggle();
        break;
      case ".":
        player.toggle();
        break;
      case "ArrowRight":
        actions.step(1);
        break;
      case "ArrowLeft":
        actions.step(-1);
        break;
      case "PageDown":
        if (scrolls) return;
        actions.milestone(1);
        break;
      case "PageUp":
        if (scrolls) return;
        actions.milestone(-1);
        break;
      case "Home":
        if (!at?.closest("[data-seek]")) return;
        player.seek(player.timeline.first);
        break;
      case "End":
        if (!at?.closest("[data-seek]")) return;
        player.catchUp();
        break;
      case "+":
      case "=":
        player.faster(1);
        break;
      case "-":
        player.faster(-1);
        break;
      case "l":
      case "L":
        player.catchUp();
        break;
      case "?":
        actions.legend();
        break;
      case "i":
      case "I":
        actions.inspect();
        break;
      case "Enter":
        if (!at?.matches(".picture, .stage, body")) return;
        actions.inspect();
        break;
      case "Escape":
        actions.escape();
        break;
      default:
        return;
    }
    ev.preventDefault();
  }

  draw(link: Link, now: number): void {
    const { player, lang } = this;
    const mode = player.mode.value;
    const paused = mode === "paused";
    const name = word(lang, paused ? "play" : "pause");
    if (this.play.getAttribute("aria-label") !== name) {
      this.play.setAttribute("aria-label", name);
      this.play.classList.toggle("paused", paused);
    }
    const behind = behindBy(player, now);
    const live = mode === "live" && behind === 0;
    write(this.live, word(lang, live ? "live" : "catchUp"));
    this.live.classList.toggle("on", live);
    write(this.speed, speedWords(player.speed.value));
    let says: string;
    if (link === "lost") says = word(lang, "lost");
    else if (link === "connecting" && player.timeline.last < player.timeline.first) says = word(lang, "connecting");
    else if (behind > 0) says = word(lang, "viewing", duration(lang, Math.max(100, behind)));
    else says = paused ? word(lang, "pausedAt") : word(lang, "liveNow");
    write(this.clock, says);
    this.clock.classList.toggle("bad", link === "lost");
  }
}

function write(el: Element, s: string): void {
  if (el.textContent !== s) el.textContent = s;
}

/** How long ago, in the cluster's time, happened what is seen next; 0 when nothing waits. */
export function behindBy(player: Player, now: number): number {
  const l = player.timeline;
  const next = l.steps[l.stepAt(player.t.value) + 1];
  if (next === undefined) return 0;
  const real = l.real[next - l.first];
  return real === undefined || Number.isNaN(real) ? 0 : Math.max(1, now - real);
}
