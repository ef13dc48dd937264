// A link may bring a command: /en/?command=kubectl+get+pods. It is never run by
// itself: whoever opened the link sees the command, whole, and decides.
import { type Lang, mayAct } from "../app.ts";
import { consoleText } from "./text.ts";

export type Answer = "run" | "keep";

const LONGEST = 2000;

/**
 * The command in a page's address, if it is one that can be shown as it is: of one line,
 * and without characters that are invisible or turn what stands beside them around.
 */
export function commandOf(search: string): { command: string; strange: boolean } | undefined {
  const command = new URLSearchParams(search).get("command")?.trim();
  if (!command) return undefined;
  const shown = /^(kubectl|k) [^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u.test(command) && command.length <= LONGEST;
  return { command, strange: !shown };
}

/** The address without its command: opening it again asks nothing. */
export function withoutCommand(search: string): string {
  const q = new URLSearchParams(search);
  q.delete("command");
  return q.size > 0 ? `?${q}` : "";
}

/** Asks about the command that the page's address brings, and hands it over when the reader wants it. */
export function askAboutLink(lang: Lang, take: (command: string, answer: Answer) => void): void {
  const linked = commandOf(location.search);
  if (!linked) return;
  history.replaceState(history.state, "", location.pathname + withoutCommand(location.search) + location.hash);
  const t = consoleText[lang];
  const dialog = document.createElement("dialog");
  dialog.className = "legend confirm linked";
  dialog.setAttribute("aria-labelledby", "linked-title");
  const make = (tag: string, text: string, className = "") => {
    const el = document.createElement(tag);
    el.textContent = text;
    el.className = className;
    return el;
  };
  const title = make("h2", t.linkedTitle);
  title.id = "linked-title";
  const buttons = make("div", "", "confirm-buttons");
  const button = (text: string, answer: Answer | undefined, className = "") => {
    const b = make("button", text, className) as HTMLButtonElement;
    b.type = "button";
    b.addEventListener("click", () => {
      dialog.close();
      if (answer) take(linked.command, answer);
    });
    buttons.append(b);
    return b;
  };
  dialog.append(title);
  let first: HTMLButtonElement;
  if (linked.strange || !mayAct()) {
    dialog.append(make("p", linked.strange ? t.linkedStrange : t.linkedNot));
    first = button(t.close, undefined);
  } else {
    const namespace = document.querySelector<HTMLElement>("[data-chapter]")?.dataset.namespace;
    dialog.append(make("pre", linked.command, "linked-command"));
    dialog.append(make("p", namespace ? t.linkedIn(namespace) : t.linkedWords));
    first = button(t.linkedCancel, undefined);
    button(t.linkedKeep, "keep");
    button(t.run, "run", "primary");
  }
  dialog.append(buttons);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  first.focus(); // Enter, pressed in haste, runs nothing
}
