// Everything a person can do to the stage, once: with its keys, for the
// buttons, the palette and the list of keys.
import type { Lang } from "../app.ts";
import { type Word, word } from "../i18n/ui.ts";

export interface Command {
  /** Buttons with this data-action do it. */
  id: string;
  says: Word;
  /** Names of keys as KeyboardEvent.key has them. */
  keys?: readonly string[];
  /** Not offered in the palette, where it would make no sense. */
  unlisted?: boolean;
  run(): void;
}

const names: Record<string, string> = {
  " ": "Space",
  ArrowLeft: "←",
  ArrowRight: "→",
  PageUp: "Page Up",
  PageDown: "Page Down",
  Escape: "Esc",
  "-": "−",
};

export function keyNames(c: Command): string {
  return (c.keys ?? [])
    .filter((k) => k !== "=")
    .map((k) => names[k] ?? k.toUpperCase())
    .join(", ");
}

export function commandWords(lang: Lang, c: Command): string {
  return word(lang, c.says);
}

/** Makes buttons and keys do their commands. */
export function listen(commands: readonly Command[]): void {
  const byId = new Map(commands.map((c) => [c.id, c]));
  document.addEventListener("click", (ev) => {
    const button = (ev.target as Element).closest<HTMLElement>("[data-action]");
    byId.get(button?.dataset.action ?? "")?.run();
  });
  const byKey = new Map<string, Command>();
  for (const c of commands) for (const k of c.keys ?? []) byKey.set(k, c);
  document.addEventListener("keydown", (ev) => {
    const at = ev.target as HTMLElement | null;
    if ((ev.ctrlKey || ev.metaKey) && !ev.altKey && ev.key.toLowerCase() === "k") {
      ev.preventDefault();
      byId.get("palette")?.run();
      return;
    }
    if (ev.ctrlKey || ev.metaKey || ev.altKey || ev.defaultPrevented) return;
    if (at?.closest("input, textarea, select, [contenteditable], [role=textbox], dialog")) return;
    if (keepsFor(ev.key, at)) return;
    const command = byKey.get(ev.key.length === 1 ? ev.key.toLowerCase() : ev.key) ?? byKey.get(latin(ev));
    if (!command) return;
    ev.preventDefault();
    command.run();
  });
}

/** What a key of a Korean keyboard says in Latin: with Hangul on, L gives "ㅣ" and ` gives "₩". */
function latin(ev: KeyboardEvent): string {
  if (ev.code === "Backquote") return "`";
  return /^\p{Script=Hangul}$/u.test(ev.key) ? (/^Key([A-Z])$/.exec(ev.code)?.[1]?.toLowerCase() ?? "") : "";
}

/** Whether what has the focus needs a key for itself. */
function keepsFor(key: string, at: HTMLElement | null): boolean {
  switch (key) {
    case " ":
      return Boolean(at?.closest("button, a, summary, [role=tab], [role=button], [data-part], [data-object]"));
    case "Enter":
      return !at?.matches(".picture, .stage, body");
    case "PageDown":
    case "PageUp":
      return Boolean(at?.closest("pre, .panel, .view"));
    default:
      return false;
  }
}
