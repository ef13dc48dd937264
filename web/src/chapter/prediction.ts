// The prediction: chosen before the run, answered by the log once the viewer
// has seen the event that decides.
import { effect, type ReadonlySignal, type Signal } from "@preact/signals-core";
import { ask } from "../wire/ask.ts";
import { captured, type Fact, fill } from "./steps.ts";
import type { ChapterText } from "./text.ts";

export interface PredictionView {
  chapter: string;
  /** The step whose event decides. */
  decidedAt: string;
  facts: ReadonlySignal<ReadonlyMap<string, Fact>>;
  playhead: ReadonlySignal<number>;
  chosen: Signal<string>;
}

export function mountPrediction(root: HTMLElement, view: PredictionView, t: ChapterText): void {
  const form = root.querySelector<HTMLFormElement>("[data-predict]");
  const answer = form?.querySelector<HTMLElement>("[data-answer]");
  if (!form || !answer) return;
  const choices = [...form.querySelectorAll<HTMLElement>("[data-option]")];
  for (const c of choices) {
    const input = c.querySelector("input")!;
    input.disabled = false;
    input.addEventListener("change", () => {
      view.chosen.value = input.value;
      // A prediction that cannot be kept is still one; the page goes on.
      void ask("PUT", `/api/progress/${view.chapter}/prediction`, { chosen: input.value }).catch(() => {});
    });
  }
  form.addEventListener("submit", (e) => e.preventDefault());
  effect(() => {
    const fact = view.facts.value.get(view.decidedAt);
    const right = fact && fact.seq <= view.playhead.value ? fact.answer : "";
    const chosen = view.chosen.value;
    for (const c of choices) {
      const id = c.dataset.option ?? "";
      c.querySelector("input")!.checked = id === chosen;
      if (right !== "" && id === right) c.dataset.verdict = "right";
      else if (right !== "" && id === chosen) c.dataset.verdict = "wrong";
      else delete c.dataset.verdict;
    }
    answer.hidden = chosen === "" && right === "";
    const says = document.createElement("p");
    if (right !== "") {
      const verdict = document.createElement("strong");
      verdict.textContent = chosen === "" ? t.shown : chosen === right ? t.rightAnswer : t.wrongAnswer;
      says.append(verdict, " ", because(form, right, captured(view.facts.value.values())));
    } else if (chosen !== "") says.textContent = t.predicted;
    // It is read out when it changes, and the playhead moves all the time.
    if (says.textContent !== answer.textContent) answer.replaceChildren(...says.childNodes);
  });
}

/** The reason for an option, from the page, with the log's own numbers in it. */
function because(form: HTMLElement, option: string, values: Record<string, string>): Node {
  const source = form.querySelector<HTMLElement>(`[data-because="${option}"]`);
  const copy = document.createElement("span");
  for (const n of source?.childNodes ?? []) copy.append(n.cloneNode(true));
  const walk = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(); n; n = walk.nextNode()) n.nodeValue = fill(n.nodeValue ?? "", values);
  return copy;
}
