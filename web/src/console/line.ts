// The line at a terminal's prompt: what is typed, where the cursor is, and how
// to draw it anew. It knows what keys send, as a terminal gives it, and nothing
// of who shows it.

/** What a key asks for that is not the line's own business. */
export type Wish = "run" | "cancel" | "complete" | "earlier" | "later" | "clear";

const wishes: Record<string, Wish> = {
  "\r": "run",
  "\x03": "cancel",
  "\t": "complete",
  "\x1b[A": "earlier",
  "\x1b[B": "later",
  "\x0c": "clear",
};

/** Moves and deletions, by what xterm sends for their keys; as in bash. */
const edits: Record<string, (line: Line) => void> = {
  "\x1b[D": (l) => l.move(l.before(/.$/su)),
  "\x1b[C": (l) => l.move(l.after(/^./su)),
  "\x1b[1;5D": (l) => l.move(l.before(/\S+\s*$/u)),
  "\x1b[1;5C": (l) => l.move(l.after(/^\s*\S+/u)),
  "\x1bb": (l) => l.move(l.before(/\S+\s*$/u)),
  "\x1bf": (l) => l.move(l.after(/^\s*\S+/u)),
  "\x1b[H": (l) => l.move(0),
  "\x01": (l) => l.move(0),
  "\x1b[F": (l) => l.move(l.text.length),
  "\x05": (l) => l.move(l.text.length),
  "\x7f": (l) => l.cut(l.before(/.$/su), l.at),
  "\x1b[3~": (l) => l.cut(l.at, l.after(/^./su)),
  "\x04": (l) => l.cut(l.at, l.after(/^./su)),
  "\x17": (l) => l.cut(l.before(/\S+\s*$/u), l.at),
  "\x15": (l) => l.cut(0, l.at),
  "\x0b": (l) => l.cut(l.at, l.text.length),
};

export class Line {
  text = "";
  at = 0;
  /** The row of the cursor below the prompt's first, when it was drawn last. */
  private row = 0;

  /** Takes what a key sent, or what was pasted; returns what the line cannot do itself. */
  take(sent: string): Wish | undefined {
    const wish = wishes[sent];
    if (wish) return wish;
    const edit = edits[sent];
    if (edit) edit(this);
    // What was pasted is not run: its ends of lines become spaces, and control characters go.
    else if (!sent.startsWith("\x1b")) this.insert(sent.replace(/\\?[\r\n]+/g, " ").replace(/\p{Cc}/gu, ""));
    return undefined;
  }

  insert(text: string): void {
    this.text = this.text.slice(0, this.at) + text + this.text.slice(this.at);
    this.at += text.length;
  }

  set(text: string): void {
    this.text = text;
    this.at = text.length;
  }

  move(to: number): void {
    this.at = to;
  }

  cut(from: number, to: number): void {
    this.text = this.text.slice(0, from) + this.text.slice(to);
    this.at = from;
  }

  /** Where what stands before the cursor, or after it, begins or ends. */
  before(what: RegExp): number {
    return this.text.slice(0, this.at).search(what) < 0 ? this.at : this.text.slice(0, this.at).search(what);
  }
  after(what: RegExp): number {
    return this.at + (what.exec(this.text.slice(this.at))?.[0].length ?? 0);
  }

  /** Below what has been printed, where no line is drawn yet. */
  begin(): void {
    this.row = 0;
  }

  /** Draws the line over what was drawn before, in a terminal of so many columns. */
  draw(prompt: string, coloured: string, columns: number): string {
    const up = (rows: number) => (rows > 0 ? `\x1b[${rows}A` : "");
    const end = place(prompt + this.text, columns);
    const cursor = place(prompt + this.text.slice(0, this.at), columns);
    const out = [up(this.row), "\r\x1b[J", coloured, this.text];
    if (end.column === 0 && end.row > 0) out.push(" \r"); // a full row is left only by what comes next
    out.push(up(end.row - cursor.row), "\r", cursor.column > 0 ? `\x1b[${cursor.column}C` : "");
    this.row = cursor.row;
    return out.join("");
  }

  /** The cursor below the line, for what is printed next. */
  leave(prompt: string, coloured: string, columns: number): string {
    this.at = this.text.length;
    const out = `${this.draw(prompt, coloured, columns)}\r\n`;
    this.row = 0;
    return out;
  }
}

/** Characters that take two columns: Hangul, kana, Han and full-width forms. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]/;

/** Where the cursor is after a text. */
export function place(text: string, columns: number): { row: number; column: number } {
  let [row, column] = [0, 0];
  for (const c of text) {
    const width = wide.test(c) || c.codePointAt(0)! > 0x1f000 ? 2 : 1;
    if (column + width > columns) [row, column] = [row + 1, 0];
    column += width;
  }
  return column >= columns ? { row: row + 1, column: 0 } : { row, column };
}

/** What all of them begin with. */
export function common(words: readonly string[]): string {
  const [first = "", ...rest] = words;
  let n = first.length;
  for (const word of rest) while (!word.startsWith(first.slice(0, n))) n--;
  return first.slice(0, n);
}

/** Words in columns, as ls prints them. */
export function inColumns(words: readonly string[], columns: number): string {
  const width = Math.max(...words.map((w) => w.length)) + 2;
  const across = Math.max(1, Math.floor(columns / width));
  const rows = Math.ceil(words.length / across);
  return Array.from({ length: rows }, (_, row) =>
    words
      .filter((_, i) => i % rows === row)
      .map((w) => w.padEnd(width))
      .join("")
      .trimEnd(),
  ).join("\r\n");
}
