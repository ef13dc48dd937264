// The commands of this tab, newest last, as a shell remembers them: the same
// command twice in a row is kept once, and going down past the newest gives
// back what was being typed. They last as long as the tab.

const KEPT = "kubestage.console";

export class CommandHistory {
  private lines: string[];
  private at: number;
  private typed = "";
  private readonly limit: number;

  constructor(lines: string[] = [], limit = 100) {
    this.limit = limit;
    this.lines = lines.slice(-limit);
    this.at = this.lines.length;
  }

  /** With what this tab remembers. */
  static kept(): CommandHistory {
    return new CommandHistory(kept());
  }

  /** Adds a command to what this tab remembers, to which its other prompt may have added meanwhile. */
  remember(line: string): void {
    this.lines = kept() ?? this.lines;
    this.add(line);
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(this.lines));
    } catch {
      // storage may be off: the history then lasts as long as the page
    }
  }

  add(line: string): void {
    if (line.trim() !== "" && this.lines.at(-1) !== line) this.lines.push(line);
    if (this.lines.length > this.limit) this.lines.shift();
    this.at = this.lines.length;
    this.typed = "";
  }

  /** The command before, or undefined at the oldest. */
  up(current: string): string | undefined {
    if (this.at === 0) return undefined;
    if (this.at === this.lines.length) this.typed = current;
    this.at--;
    return this.lines[this.at];
  }

  /** The command after; at last, what was being typed. */
  down(): string | undefined {
    if (this.at >= this.lines.length) return undefined;
    this.at++;
    return this.at === this.lines.length ? this.typed : this.lines[this.at];
  }
}

function kept(): string[] | undefined {
  try {
    const lines: unknown = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(lines) ? lines.filter((line) => typeof line === "string") : undefined;
  } catch {
    return undefined;
  }
}
