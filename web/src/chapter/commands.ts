// Commands in the text can be put into the console with one press.
import { OFFER } from "../console/console.ts";

/** A whole command, not just the name of one: "kubectl get pods", not "kubectl logs". */
export function isCommand(text: string): boolean {
  return /^kubectl \S+ \S/.test(text);
}

export function mountCommands(root: HTMLElement, title: string): void {
  for (const code of root.querySelectorAll<HTMLElement>(".prose code, .check code")) {
    const command = code.textContent ?? "";
    if (!isCommand(command) || code.closest("pre, button")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "command";
    button.title = title;
    code.replaceWith(button);
    button.append(code);
    button.addEventListener("click", () => {
      document.dispatchEvent(new CustomEvent(OFFER, { detail: command }));
    });
  }
}
