// The seek bar: a slider over the display clock, with milestones, and breaks
// where silence was left out. Dragging with Shift marks a range to loop. A long log is shown by the page: the bar holds
// about two minutes of viewing and turns the page with the playhead.
import type { Lang } from "../app.ts";
import { caption } from "../i18n/captions.ts";
import { duration, word } from "../i18n/ui.ts";
import type { Milestone } from "../model/milestones.ts";
import type { Player } from "../player/player.ts";
import { Drawing, h, type VNode } from "../stage/node.ts";
import type { EventLog } from "../wire/log.ts";
import { set } from "./html.ts";

const PAGE = 120_000;
const HEIGHT = 36;
const DOTS = 60;

/** The stretch of the display clock that the bar shows. */
export function pageFor(from: number, t: number, rest: number, live: boolean): [number, number] {
  if (rest <= PAGE) return [0, Math.max(rest, 1)];
  if (live) return [rest - PAGE, rest];
  let start = Math.min(Math.max(0, from), rest - PAGE);
  if (t < start + PAGE * 0.02 || t > start + PAGE * 0.98) start = Math.min(Math.max(0, t - PAGE / 2), rest - PAGE);
  return [start, start + PAGE];
}

export class SeekBar {
  private readonly svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  private readonly drawing: Drawing;
  private page: [number, number] = [0, 1];
  private width = 600;
  private held = false;
  /** Where a range to loop begins, while it is being drawn. */
  private mark: number | null = null;

  constructor(
    private readonly root: HTMLElement,
    private readonly lang: Lang,
    private readonly player: Player,
    private readonly log: EventLog,
    private readonly milestones: () => readonly Milestone[],
    redraw: () => void,
  ) {
    this.svg.setAttribute("aria-hidden", "true");
    this.svg.setAttribute("class", "seek-svg");
    this.svg.setAttribute("height", String(HEIGHT));
    root.append(this.svg);
    this.drawing = new Drawing(this.svg);
    new ResizeObserver(() => {
      this.width = Math.max(60, root.clientWidth);
      redraw();
    }).observe(root);
    root.addEventListener("pointerdown", (ev) => {
      if (ev.button !== 0) return;
      this.held = true;
      root.setPointerCapture(ev.pointerId);
      this.mark = ev.shiftKey ? this.timeAt(ev) : null;
      if (this.mark === null) this.scrub(ev);
    });
    root.addEventListener("pointermove", (ev) => {
      if (!this.held) return;
      if (this.mark === null) this.scrub(ev);
      else this.loop(this.mark, this.timeAt(ev));
    });
    const release = () => {
      this.held = false;
    };
    root.addEventListener("pointerup", release);
    root.addEventListener("pointercancel", release);
  }

  private timeAt(ev: PointerEvent): number {
    const box = this.root.getBoundingClientRect();
    const u = Math.min(1, Math.max(0, (ev.clientX - box.left - 10) / Math.max(1, box.width - 20)));
    return this.page[0] + u * (this.page[1] - this.page[0]);
  }

  private scrub(ev: PointerEvent): void {
    this.player.pause();
    this.player.scrub(this.timeAt(ev));
  }

  private loop(a: number, b: number): void {
    const l = this.player.timeline;
    const [from, to] = [Math.min(a, b), Math.max(a, b)];
    const first = l.steps[l.stepAt(from) + 1];
    const last = l.steps[l.stepAt(to)];
    if (first !== undefined && last !== undefined && first <= last) this.player.setLoop({ from: first, to: last });
  }

  draw(): void {
    const { player } = this;
    const t = player.t.value;
    const rest = player.rest;
    if (!this.held) this.page = pageFor(this.page[0], t, rest, player.mode.value === "live");
    const [a, b] = this.page;
    const W = this.width;
    const mid = HEIGHT / 2;
    const x = (at: number) => 10 + ((W - 20) * (at - a)) / Math.max(1, b - a);
    const dots: VNode[] = [];
    let lastX = Number.NEGATIVE_INFINITY;
    const l = player.timeline;
    const list = this.milestones();
    const firstSeq = l.seqAt(a - 1);
    let i = 0;
    for (let hi = list.length; i < hi; ) {
      const half = (i + hi) >> 1;
      if (list[half]!.seq < firstSeq) i = half + 1;
      else hi = half;
    }
    for (; i < list.length && dots.length < DOTS; i++) {
      const m = list[i]!;
      const at = l.atOf(m.seq);
      if (at > b) break;
      const px = x(at);
      if (at < a || px - lastX < 9) continue;
      lastX = px;
      dots.push(
        h("circle", {
          key: `m${m.seq}`,
          cx: px,
          cy: mid,
          r: m.kind === "person" ? 6 : 4.5,
          class: `dot dot-${m.kind}${at > t ? " ahead" : ""}`,
        }),
      );
    }
    let lastBreak = Number.NEGATIVE_INFINITY;
    const breaks = l.gaps
      .filter((g) => {
        if (g.at < a || g.at > b || x(g.at) - lastBreak < 12) return false;
        lastBreak = x(g.at);
        return true;
      })
      .slice(-40)
      .map((g) =>
        h(
          "path",
          { key: `g${g.at}`, class: "break", d: `M${x(g.at) - 3} ${mid + 7}l3 -14m2 14l3 -14` },
          h("title", null, word(this.lang, "idle", duration(this.lang, g.real))),
        ),
      );
    const loop = player.loop.value;
    const round: VNode[] = [];
    if (loop) {
      const [from, to] = [x(l.startOf(loop.from)), x(l.endOf(loop.to))].map((v) => Math.min(Math.max(v, 10), W - 10));
      round.push(
        h("rect", {
          key: "loop",
          x: from,
          y: mid - 9,
          width: Math.max(2, to! - from!),
          height: 18,
          rx: 4,
          class: "loop-range",
        }),
      );
    }
    const now = Math.min(Math.max(x(t), 10), W - 10);
    set(this.svg, "viewBox", `0 0 ${W} ${HEIGHT}`);
    set(this.svg, "width", String(W));
    this.drawing.draw(
      ...round,
      h("rect", { key: "track", x: 10, y: mid - 3, width: W - 20, height: 6, rx: 3, class: "track" }),
      h("rect", { key: "done", x: 10, y: mid - 3, width: Math.max(0, now - 10), height: 6, rx: 3, class: "done" }),
      h("g", { key: "breaks" }, breaks),
      h("g", { key: "dots" }, dots),
      h("circle", { key: "hand", cx: now, cy: mid, r: 10, class: "hand" }),
    );
    set(this.root, "aria-valuemax", String(l.last));
    set(this.root, "aria-valuemin", String(l.first));
    set(this.root, "aria-valuenow", String(Math.max(l.first, player.playhead.value)));
    const step = l.steps[l.stepAt(t)];
    const e = step ? this.log.get(step) : undefined;
    if (player.mode.value === "paused" || !this.root.hasAttribute("aria-valuetext")) {
      set(this.root, "aria-valuetext", e ? caption(this.lang, { events: [e], event: (s) => this.log.get(s) }) : "0");
    }
  }
}
