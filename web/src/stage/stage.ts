// The stage element: draws when something changed, and tells what was
// pointed at. It owns no time and remembers nothing about the cluster.
import { effect, type ReadonlySignal, type Signal } from "@preact/signals-core";
import type { Lang, Selection } from "../app.ts";
import { actorOf } from "../model/actor.ts";
import type { Player } from "../player/player.ts";
import { compose, focusAt, type Material } from "./compose.ts";
import type { Shape } from "./geometry.ts";
import { Drawing } from "./node.ts";
import { readZoom, zoomOf } from "./zoom.ts";

const SVG = "http://www.w3.org/2000/svg";

export interface StageOptions {
  lang: Lang;
  label: string;
  player: Player;
  material(): Material;
  selection: Signal<Selection | null>;
  lit: ReadonlySignal<string | null>;
  /** What is open; see zoom.ts. */
  zoom: Signal<string | null>;
}

export class Stage {
  private readonly svg = document.createElementNS(SVG, "svg");
  private readonly back: Drawing;
  private readonly front: Drawing;
  private readonly motion = matchMedia("(prefers-reduced-motion: reduce)");
  private readonly narrow = matchMedia("(max-width: 720px)");
  private frame = 0;
  private drawn = "";
  private size = "";

  constructor(
    root: HTMLElement,
    private readonly o: StageOptions,
  ) {
    this.svg.setAttribute("class", "stage-svg");
    this.svg.setAttribute("role", "group");
    this.svg.setAttribute("aria-label", o.label);
    const back = document.createElementNS(SVG, "g");
    const front = document.createElementNS(SVG, "g");
    front.setAttribute("class", "token-layer");
    back.setAttribute("class", "picture-layer");
    this.svg.append(back, front);
    root.append(this.svg);
    this.back = new Drawing(back);
    this.front = new Drawing(front);
    effect(() => {
      o.player.t.value;
      o.player.changed.value;
      o.selection.value;
      o.lit.value;
      o.zoom.value;
      o.player.mode.value;
      this.schedule();
    });
    // The theme is an attribute of the page: a projector's texts are larger.
    new MutationObserver(() => this.schedule()).observe(document.documentElement, {
      attributeFilter: ["data-theme"],
    });
    this.motion.addEventListener("change", () => this.schedule());
    this.narrow.addEventListener("change", () => this.schedule());
    this.svg.addEventListener("click", (ev) => this.choose(ev.target));
    this.svg.addEventListener("keydown", (ev) => {
      if ((ev.key === "Enter" || ev.key === " ") && this.choose(ev.target)) {
        ev.preventDefault();
        ev.stopPropagation();
      }
    });
  }

  /** What the i-th key opens at the playhead. */
  zoomOf(i: number): string | null {
    const { player, material } = this.o;
    const m = material();
    const t = player.t.value;
    const focus = m.log.get(focusAt(m.timeline, t));
    const here = focus && (actorOf(focus.from).node ?? actorOf(focus.to ?? "").node);
    return zoomOf(i, m.history.at(m.timeline.seqAt(t)), here);
  }

  /** True when nothing waits to be drawn. */
  get idle(): boolean {
    return this.frame === 0;
  }

  private schedule(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    this.frame = 0;
    const shape: Shape = this.narrow.matches ? "tall" : "wide";
    const c = compose(this.o.material(), this.o.player.t.value, {
      lang: this.o.lang,
      shape,
      selection: this.o.selection.value,
      lit: this.o.lit.value,
      zoom: this.o.zoom.value,
      far: shape === "wide" && document.documentElement.dataset.theme === "projector",
      still: this.motion.matches,
      paused: this.o.player.mode.value === "paused",
    });
    const size = `-4 -4 ${c.geometry.width + 8} ${c.height + 8}`;
    if (size !== this.size) {
      this.svg.setAttribute("viewBox", size);
      this.svg.setAttribute("data-shape", shape);
      this.size = size;
    }
    if (c.key !== this.drawn) {
      this.back.draw(...c.picture());
      this.drawn = c.key;
    }
    this.front.draw(...c.tokens());
  }

  private choose(target: EventTarget | null): boolean {
    if (!(target instanceof Element)) return false;
    const zoom = target.closest("[data-zoom]");
    const token = target.closest("[data-token]");
    const row = target.closest("[data-seq]");
    const object = target.closest("[data-object]");
    const part = target.closest("[data-part]");
    if (token) this.o.selection.value = { type: "event", seq: Number(token.getAttribute("data-token")) };
    else if (row) this.o.selection.value = { type: "event", seq: Number(row.getAttribute("data-seq")) };
    else if (object)
      this.o.selection.value = {
        type: "object",
        key: object.getAttribute("data-object")!,
        uid: object.getAttribute("data-uid") ?? undefined,
      };
    else if (zoom) this.o.zoom.value = zoom.getAttribute("data-zoom") || null;
    else if (part) {
      const id = part.getAttribute("data-part")!;
      const was = this.o.selection.value;
      // What is chosen already is opened, if it has an inside.
      if (was?.type === "part" && was.id === id && readZoom(id)) this.o.zoom.value = id;
      this.o.selection.value = { type: "part", id };
    } else return false;
    return true;
  }
}
