// Where the terminal is: below the stage, opened and closed by key or button.
import type { Terminal } from "@xterm/xterm";
import type { Lang } from "../app.ts";

export class TerminalDrawer {
  private terminal: Promise<Terminal> | undefined;

  constructor(
    private readonly root: HTMLElement,
    private readonly lang: Lang,
  ) {
    // The stage listens for keys; here they are typed.
    root.addEventListener("keydown", (e) => e.stopPropagation());
  }

  toggle(): void {
    if (this.root.hidden) void this.open();
    else this.leave(true);
  }

  private async open(): Promise<void> {
    this.root.hidden = false;
    this.terminal ??= this.mount();
    try {
      (await this.terminal).focus();
    } catch {
      this.terminal = undefined; // the server has gone; the next opening tries again
      this.leave(true);
    }
  }

  private async mount(): Promise<Terminal> {
    const { mountTerminal } = await import("./terminal.ts");
    const screen = this.root.querySelector<HTMLElement>("[data-terminal-screen]")!;
    return mountTerminal(screen, this.lang, (close) => this.leave(close));
  }

  /** To the view that is shown, with or without what is typed here. */
  private leave(close: boolean): void {
    if (close) this.root.hidden = true;
    document.querySelector<HTMLElement>(".view:not([hidden])")?.focus();
  }
}
