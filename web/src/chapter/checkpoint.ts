// The checkpoint: the server looks at the log, the page says in words what is
// there and what is missing.
import { ask, Refused } from "../wire/ask.ts";
import type { ChapterText } from "./text.ts";

export function mountCheckpoint(root: HTMLElement, id: string, t: ChapterText): void {
  const card = root.querySelector<HTMLElement>("[data-check]");
  const button = card?.querySelector<HTMLButtonElement>("[data-check-run]");
  const list = card?.querySelector<HTMLElement>("[data-check-facts]");
  const passed = card?.querySelector<HTMLElement>("[data-passed]");
  const status = card?.querySelector<HTMLElement>("[data-check-status]");
  if (!card || !button || !list || !passed || !status) return;
  mountHelp(card);
  button.disabled = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    status.textContent = t.checking;
    status.classList.remove("bad");
    try {
      const answer = (await (await ask("POST", `/api/scenes/${id}/checkpoint`)).json()) as {
        passed: boolean;
        facts: { step: string }[];
        missing?: string;
      };
      const met = new Set(answer.facts.map((f) => f.step));
      list.hidden = false;
      for (const item of list.querySelectorAll<HTMLElement>("[data-fact]")) {
        const fact = item.dataset.fact ?? "";
        item.dataset.state = met.has(fact) ? "done" : "missing";
        item.querySelector<HTMLElement>("[data-missing]")!.hidden = answer.missing !== fact;
      }
      passed.hidden = !answer.passed;
      const open = [...list.querySelectorAll<HTMLElement>('[data-fact][data-state="missing"]')];
      const asked = list.querySelector('[data-of="cluster"]') !== null;
      const otherWay = asked && open.length > 0 && open.every((item) => item.dataset.of === "log");
      status.textContent = answer.passed ? t.passed : otherWay ? t.otherWay : t.missing;
    } catch (e) {
      status.textContent = e instanceof Refused ? [e.message, e.hint].filter(Boolean).join(" ") : t.noServer;
      status.classList.add("bad");
    } finally {
      button.disabled = false;
    }
  });
}

/** Hints come one by one: the next is offered when the one before was opened. */
function mountHelp(card: HTMLElement): void {
  const help = [...card.querySelectorAll<HTMLDetailsElement>("[data-help] > details")];
  for (const [i, piece] of help.entries()) {
    piece.hidden = i > 0;
    piece.addEventListener("toggle", () => {
      const next = help[i + 1];
      if (piece.open && next) next.hidden = false;
    });
  }
}
