// What the console shows, as data: pieces of text in order, bounded, so that
// `get pods -w` may run all day.

export interface Piece {
  kind: "command" | "stdout" | "stderr" | "note";
  text: string;
}

const LIMIT = 200_000;

export class Screen {
  readonly pieces: Piece[] = [];
  private size = 0;
  private readonly limit: number;

  constructor(limit = LIMIT) {
    this.limit = limit;
  }

  /** Adds text; text of the kind that came last continues it. Returns how many pieces went away at the top. */
  add(kind: Piece["kind"], text: string): number {
    if (text === "") return 0;
    const last = this.pieces.at(-1);
    if (last && last.kind === kind && kind !== "command" && kind !== "note" && last.text.length < this.limit / 10)
      last.text += text;
    else this.pieces.push({ kind, text });
    this.size += text.length;
    let gone = 0;
    while (this.size > this.limit && this.pieces.length > 1) {
      this.size -= this.pieces.shift()!.text.length;
      gone++;
    }
    return gone;
  }

  clear(): void {
    this.pieces.length = 0;
    this.size = 0;
  }
}

/** How many lines a text has that a person would count. */
export function lineCount(text: string): number {
  const trimmed = text.replace(/\n+$/, "");
  return trimmed === "" ? 0 : trimmed.split("\n").length;
}

/** Whether a command line reads the editor: `-f -`, `-f-`, `--filename -`, `--filename=-`. */
export function readsStdin(command: string): boolean {
  return /(^|\s)(-f|--filename)(=|\s*)-(\s|$)/.test(command);
}
