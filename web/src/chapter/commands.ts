// Commands in the text can be put into the console with one press.
import { OFFER } from "../console/console.ts";

/** A whole command, not just the name of one: "kubectl get pods", not "kubectl logs". */
export function isCommand(text: string): boolean {
  return /^kubectl \S+ \S/.test(text);
}

export function mountCommands(root: HTMLElement, title: string): void {
  for (const code of root.querySelectorAll<HTMLElement>(".prose code, .check code")) {
    const command = code.textContent ?? "";
    if (!isCommand(command) || code.closest("pre, a, button")) continue;
    // A link and not a button: it breaks at the end of a line like the text around it.
    const link = document.createElement("a");
    link.href = "#console";
    link.className = "command";
    link.title = title;
    code.replaceWith(link);
    link.append(code);
    link.addEventListener("click", (e) => {
      e.preventDefault();
      document.dispatchEvent(new CustomEvent(OFFER, { detail: command }));
    });
  }
}
