// The commands of a scene, and those in the text, which can be put into the
// console with one press.
import { OFFER } from "../console/console.ts";
import type { ChapterText } from "./text.ts";

/** The commands of a scene, with how each is: a run does them one after the other. */
export class Commands {
  private readonly items: HTMLElement[];
  private readonly t: ChapterText;
  private next = 0;

  constructor(root: HTMLElement, t: ChapterText) {
    this.t = t;
    this.items = [...root.querySelectorAll<HTMLElement>("[data-command]")];
    for (const item of this.items) {
      this.show(item, "waiting");
      this.output(item).textContent = "";
      this.output(item).hidden = true;
    }
  }

  /** The next command of a step begins; those of the setup have no step. */
  begin(step: string): void {
    while (this.next < this.items.length && this.items[this.next]?.dataset.command !== step) this.next++;
    const item = this.items[this.next];
    if (item) this.show(item, "running");
  }

  /** It prints. */
  print(text: string): void {
    const item = this.items[this.next];
    if (!item) return;
    this.output(item).hidden = false;
    this.output(item).append(text);
  }

  /** It has ended. A refusal that was to come is as it should be. */
  end(exit: number): void {
    const item = this.items[this.next];
    if (item) this.show(item, (exit === 0) === "refused" in item.dataset ? "failed" : "done");
    this.next++;
  }

  private output(item: HTMLElement): HTMLElement {
    return item.querySelector<HTMLElement>("[data-command-output]")!;
  }

  private show(item: HTMLElement, state: "waiting" | "running" | "done" | "failed"): void {
    item.dataset.state = state;
    const words = item.querySelector("[data-command-state]");
    if (words) words.textContent = this.t.commandStates[state];
  }
}

/** A whole command, not just the name of one: "kubectl get pods", not "kubectl logs". */
export function isCommand(text: string): boolean {
  return /^kubectl \S+ \S/.test(text);
}

/** A flag keeps its dashes: browsers would break the line behind the first of them. */
export function mountFlags(root: HTMLElement): void {
  for (const code of root.querySelectorAll<HTMLElement>(".prose code, .check code, .runner-what > code")) {
    if (code.closest("pre") || code.childElementCount > 0 || !/ -/.test(code.textContent ?? "")) continue;
    code.replaceChildren(
      ...(code.textContent ?? "").split(/( )/).map((word) => {
        if (!word.startsWith("-")) return word;
        const whole = document.createElement("span");
        whole.className = "flag";
        whole.textContent = word;
        return whole;
      }),
    );
  }
}

export function mountCommands(root: HTMLElement, title: string): void {
  for (const code of root.querySelectorAll<HTMLElement>(".prose code, .check code")) {
    const manifest = code.closest<HTMLElement>("[data-stdin]")?.dataset.stdin;
    const command = code.dataset.offer ?? code.textContent ?? ""; // the name of a field offers what explains it
    if (!isCommand(command) || code.closest("pre, a, button")) continue;
    // A link and not a button: it breaks at the end of a line like the text around it.
    const link = document.createElement("a");
    link.href = "#console";
    link.className = "command";
    link.title = code.dataset.offer ? `${title}: ${command}` : title;
    code.replaceWith(link);
    link.append(code);
    link.addEventListener("click", (e) => {
      e.preventDefault();
      document.dispatchEvent(new CustomEvent(OFFER, { detail: manifest ? { command, manifest } : command }));
    });
  }
}
