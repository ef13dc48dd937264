// Where the terminal is: below the stage, opened and closed by key or button.
import type { Lang } from "../app.ts";
import type { mountTerminal } from "./terminal.ts";

export class TerminalDrawer {
  private terminal: Awaited<ReturnType<typeof mountTerminal>> | undefined;
  private readonly screen: HTMLElement;

  constructor(
    private readonly root: HTMLElement,
    private readonly lang: Lang,
    /** What gets the focus when the terminal loses it. */
    private readonly stage: HTMLElement,
  ) {
    this.screen = root.querySelector<HTMLElement>("[data-terminal-screen]")!;
    // The stage listens for keys; here they are typed.
    root.addEventListener("keydown", (e) => e.stopPropagation());
  }

  toggle(): void {
    if (this.root.hidden) void this.open();
    else this.leave(true);
  }

  private async open(): Promise<void> {
    this.root.hidden = false;
    if (!this.terminal) {
      const { mountTerminal } = await import("./terminal.ts");
      this.screen.replaceChildren();
      this.terminal = await mountTerminal(this.screen, this.lang, (close) => this.leave(close));
    }
    this.terminal.focus();
  }

  private leave(close: boolean): void {
    if (close) this.root.hidden = true;
    this.stage.focus();
  }
}
