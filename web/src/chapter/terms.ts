// Words of the text that stand for something: pointing at one, or moving to it
// with the keyboard, says what it is in both languages; pressing it lights its
// part of the stage, and pressing it again lets go.
import { effect } from "@preact/signals-core";
import type { App } from "../app.ts";
import { pick } from "../i18n/lang.ts";
import { type BookTerm, book } from "../wire/book.ts";

const card = "term-card";

export function mountTerms(root: HTMLElement, app: App): void {
  const buttons = [...root.querySelectorAll<HTMLButtonElement>("button[data-term]")];
  if (buttons.length === 0) return;
  const termOf = (b: HTMLButtonElement | undefined) => book.peek()?.terms[b?.dataset.term ?? ""];
  const buttonAt = (target: EventTarget | null) =>
    target instanceof Element ? target.closest<HTMLButtonElement>("button[data-term]") : null;

  // The card stands in the page's left side, so that it belongs to a landmark.
  const box = document.createElement("div");
  box.id = card;
  box.className = card;
  box.setAttribute("role", "tooltip");
  box.hidden = true;
  (root.closest("aside") ?? document.body).append(box);

  let open: HTMLButtonElement | undefined;
  const close = () => {
    open?.removeAttribute("aria-describedby");
    open = undefined;
    box.hidden = true;
  };
  const show = (b: HTMLButtonElement) => {
    const term = termOf(b);
    if (!term || open === b) return;
    close();
    open = b;
    box.replaceChildren(...say(app, term));
    box.hidden = false;
    b.setAttribute("aria-describedby", card);
    place(box, b);
  };
  root.addEventListener("pointerover", (e) => {
    const b = e.pointerType === "touch" ? null : buttonAt(e.target);
    if (b) show(b);
  });
  // Who reads the card may go over it with the pointer.
  const leave = (e: PointerEvent) => {
    const to = e.relatedTarget;
    if (!open || open === document.activeElement) return;
    if (to instanceof Node && (box.contains(to) || open.contains(to))) return;
    close();
  };
  root.addEventListener("pointerout", leave);
  box.addEventListener("pointerleave", leave);
  root.addEventListener("focusin", (e) => {
    const b = buttonAt(e.target);
    if (b) show(b);
  });
  root.addEventListener("focusout", close);
  // The card goes where its word goes.
  document.addEventListener("scroll", () => open && place(box, open), { capture: true, passive: true });

  let pressed: HTMLButtonElement | undefined;
  const release = () => {
    const lights = termOf(pressed)?.lights;
    pressed = undefined;
    // What the term lit goes out unless something else is lit by now.
    if (lights && app.signals.lit.peek() === lights) app.light(null);
  };
  root.addEventListener("click", (e) => {
    const b = buttonAt(e.target);
    const term = termOf(b ?? undefined);
    if (b && term && pressed !== b) {
      pressed = b;
      app.light(term.lights || null);
      show(b);
    } else {
      release();
    }
    mark(app.signals.lit.peek());
  });
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Escape" || (!open && !pressed)) return;
    close();
    release();
    mark(null);
  });
  const mark = (lit: string | null) => {
    for (const b of buttons) {
      const lights = termOf(b)?.lights;
      b.setAttribute("aria-pressed", String(b === pressed || Boolean(lit && lights === lit)));
    }
  };
  effect(() => {
    book.value;
    mark(app.signals.lit.value);
  });
}

function say(app: App, term: BookTerm): Node[] {
  const { lang } = app;
  const other = lang === "ko" ? "en" : "ko";
  const head = element("p", "term-card-head", element("strong", "", term.in[lang].name));
  if (term.in[other].name !== term.in[lang].name) {
    const name = element("span", "", term.in[other].name);
    name.lang = other;
    head.append(" · ", name);
  }
  const out = [head, element("p", "", term.in[lang].gloss)];
  const names = new Set([term.in[lang].name, term.in[other].name]);
  const family = [...(term.in[lang].family ?? []), ...(term.in[other].family ?? [])];
  const also = [...new Set(family)].filter((name) => !names.has(name));
  if (also.length) out.push(element("p", "term-card-also", `${pick(lang, ["also", "다른 표기"])}: ${also.join(", ")}`));
  return out;
}

function element(tag: string, className: string, ...children: (Node | string)[]): HTMLElement {
  const el = document.createElement(tag);
  if (className) el.className = className;
  el.append(...children);
  return el;
}

/** Right below the word, or above it where there is no room; never beyond the window. */
function place(box: HTMLElement, b: HTMLElement): void {
  const lines = b.getClientRects();
  const [first, last] = [lines[0], lines[lines.length - 1]];
  if (!first || !last) return;
  const { width, height } = box.getBoundingClientRect();
  const below = last.bottom + height <= innerHeight || first.top < height;
  box.style.top = `${below ? last.bottom : first.top - height}px`;
  box.style.left = `${Math.max(8, Math.min((below ? last : first).left, innerWidth - width - 8))}px`;
}
