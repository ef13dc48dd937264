// Words of the text that stand for a part of the stage: pressing one lights
// the part and says in a sentence what it is; pressing it again lets go.
import { effect } from "@preact/signals-core";
import type { App } from "../app.ts";

export interface Term {
  name: string;
  gloss: string;
  lights: string;
}

export function mountTerms(root: HTMLElement, app: App, terms: Readonly<Record<string, Term>>): void {
  const gloss = root.querySelector<HTMLElement>("[data-gloss]");
  const buttons = [...root.querySelectorAll<HTMLButtonElement>("button[data-term]")];
  const termOf = (b: HTMLButtonElement) => terms[b.dataset.term ?? ""];
  for (const b of buttons) {
    const term = termOf(b);
    if (term) b.title = term.gloss;
  }
  const say = (term: Term | undefined) => {
    if (!gloss) return;
    gloss.hidden = !term;
    gloss.replaceChildren();
    if (!term) return;
    const name = document.createElement("strong");
    name.textContent = term.name;
    gloss.append(name, ` ${term.gloss}`);
  };
  let pressed: HTMLButtonElement | undefined;
  const release = () => {
    pressed = undefined;
    say(undefined);
  };
  root.addEventListener("click", (e) => {
    const b = e.target instanceof Element ? e.target.closest<HTMLButtonElement>("button[data-term]") : null;
    if (!b) {
      // Reading on: the explanation makes room, and what the term lit goes out
      // unless something else is lit by now.
      const lights = pressed && termOf(pressed)?.lights;
      release();
      if (lights && app.signals.lit.peek() === lights) app.light(null);
      return;
    }
    const term = termOf(b);
    if (!term) return;
    if (pressed === b) {
      release();
      app.light(null);
    } else {
      pressed = b;
      say(term);
      app.light(term.lights || null);
    }
    mark(app.signals.lit.peek());
  });
  root.addEventListener("keydown", (e) => {
    if (e.key !== "Escape" || !pressed) return;
    pressed.focus();
    release();
    app.light(null);
    mark(null);
  });
  const mark = (lit: string | null) => {
    for (const b of buttons) {
      const lights = termOf(b)?.lights;
      b.setAttribute("aria-pressed", String(b === pressed || (lit !== null && lights !== "" && lights === lit)));
    }
  };
  effect(() => mark(app.signals.lit.value));
}
