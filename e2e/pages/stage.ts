import { expect, type Locator, type Page } from "@playwright/test";
import type { KubeEvent } from "../../web/src/wire/event.ts";

/** What window.kubestage offers (web/src/page/door.ts). */
interface Kubestage {
  idle(): boolean;
  playhead(): number;
  live(): boolean;
  mode(): string;
  seek(seq: number): void;
  catchUp(): void;
  speed(speed: number): void;
  drawn(): number[];
  log(): { id: string; first: number; last: number; foreground: number[] };
  event(seq: number): KubeEvent | undefined;
  state(): unknown;
}
declare global {
  interface Window {
    kubestage: Kubestage;
  }
}

/** The picture, the caption, and the row of buttons under it. */
export class Stage {
  readonly svg: Locator;

  constructor(private readonly page: Page) {
    this.svg = page.locator("svg.stage-svg");
  }

  /** Opens a page of the dashboard and waits until its picture is there. */
  async open(url: string, path: string): Promise<void> {
    await this.page.goto(url + path);
    await expect(this.svg).toBeVisible();
  }

  part(id: string): Locator {
    return this.svg.locator(`[data-part="${id}"]`);
  }

  /** Pods on the stage whose name begins so. */
  pods(prefix: string): Locator {
    return this.svg.locator(`[data-object^="pods/default/${prefix}"]`);
  }

  async showsComponent(name: string, state: string): Promise<void> {
    await expect(this.part(name)).toHaveAttribute("aria-label", new RegExp(`\\b${state}\\b`), { timeout: 60_000 });
  }

  /** The view follows the cluster with a delay that eyes need; this is the end of it. */
  async catchUp(): Promise<void> {
    await this.page.locator('[data-action="live"]').click();
    await this.idle();
  }

  async idle(patience = 60_000): Promise<void> {
    await this.page.waitForFunction(() => window.kubestage.idle(), undefined, { timeout: patience });
  }

  /** Stands still at an event. */
  async seek(seq: number): Promise<void> {
    await this.page.evaluate((seq) => window.kubestage.seek(seq), seq);
    await this.idle();
  }

  async press(
    action: "play" | "back" | "forward" | "previous" | "next" | "slower" | "faster" | "live" | "legend",
  ): Promise<void> {
    await this.page.locator(`[data-action="${action}"]`).first().click();
  }

  async tab(name: "notes" | "transcript" | "stories" | "inspector"): Promise<void> {
    await this.page.locator(`#tab-${name}`).click();
    await expect(this.page.locator(`#panel-${name}`)).toBeVisible();
  }

  /** Presses the theme button until the theme is the wanted one. */
  async setTheme(theme: "light" | "dark" | "projector"): Promise<void> {
    const root = this.page.locator("html");
    for (let presses = 0; presses < 3 && (await root.getAttribute("data-theme")) !== theme; presses++) {
      await this.page.locator('[data-action="theme"]').click();
    }
    await expect(root).toHaveAttribute("data-theme", theme);
  }

  /** Every token drawn in real speed; the rest of the day is too short for 1/50. */
  async realSpeed(): Promise<void> {
    await this.page.evaluate(() => window.kubestage.speed(1));
  }

  async playhead(): Promise<number> {
    return this.page.evaluate(() => window.kubestage.playhead());
  }

  /** The step the view is at: quiet events, which take no time of the view, may follow it. */
  async step(): Promise<number | undefined> {
    return this.page.evaluate(() => {
      const at = window.kubestage.playhead();
      return window.kubestage.log().foreground.findLast((seq) => seq <= at);
    });
  }

  async mode(): Promise<string> {
    return this.page.evaluate(() => window.kubestage.mode());
  }

  async caption(): Promise<string> {
    return (await this.page.locator("[data-caption-text]").textContent()) ?? "";
  }

  /** Events whose tokens the live view drew arriving, in that order. */
  async drawnLive(after: number): Promise<number[]> {
    return this.page.evaluate((seq) => window.kubestage.drawn().filter((s) => s > seq), after);
  }

  /**
   * Walks from one event to another by the step-forward button and reads the
   * picture at each stop: which tokens are on it for the first time. The walk
   * happens in the page, since it is hundreds of steps long.
   */
  async tokensBetween(after: number, last: number): Promise<number[]> {
    await this.seek(after);
    return this.page.evaluate(async (last) => {
      const tokens = () =>
        [...document.querySelectorAll("svg.stage-svg [data-token]")].map((t) => Number(t.getAttribute("data-token")));
      const idle = async () => {
        do await new Promise(requestAnimationFrame);
        while (!window.kubestage.idle());
      };
      const forward = document.querySelector<HTMLButtonElement>('[data-action="forward"]');
      const seen = new Set(tokens());
      const order: number[] = [];
      for (let at = window.kubestage.playhead(), before = -1; at < last && at !== before; ) {
        before = at;
        forward?.click();
        await idle();
        at = window.kubestage.playhead();
        const fresh = tokens().filter((seq) => !seen.has(seq) && seq <= Math.min(at, last));
        for (const seq of fresh.sort((a, b) => a - b)) {
          seen.add(seq);
          order.push(seq);
        }
      }
      return order;
    }, last);
  }

  /** Sequence numbers of the tokens on the picture now. */
  async tokens(): Promise<number[]> {
    return this.svg.locator("[data-token]").evaluateAll((all) => all.map((t) => Number(t.getAttribute("data-token"))));
  }

  /** The picture as text, independent of the order of attributes. */
  async text(): Promise<string> {
    return this.svg.evaluate((svg) => {
      const lines = (e: Element, indent: string): string => {
        const attributes = [...e.attributes].map((a) => `${a.name}="${a.value}"`).sort();
        const own = [...e.childNodes].filter((n) => n.nodeType === Node.TEXT_NODE).map((n) => n.textContent);
        return [
          `${indent}${e.tagName} ${attributes.join(" ")} ${own.join("")}`,
          ...[...e.children].map((c) => lines(c, `${indent} `)),
        ].join("\n");
      };
      return lines(svg, "");
    });
  }
}
