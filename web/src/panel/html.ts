// Small panels of HTML, drawn like the stage from plain values.
import { Drawing } from "../stage/node.ts";

export const XHTML = "http://www.w3.org/1999/xhtml";

export function htmlDrawing(root: Element): Drawing {
  return new Drawing(root, XHTML);
}

export function find<T extends Element = HTMLElement>(selector: string): T {
  const el = document.querySelector<T>(selector);
  if (!el) throw new Error(`the page has no ${selector}`);
  return el;
}

/** Writes a text if it is another: the page is laid out again for what stood there already, too. */
export function write(el: Element, s: string): void {
  const { firstChild } = el;
  if (firstChild instanceof Text && firstChild === el.lastChild) {
    if (firstChild.data !== s) firstChild.data = s;
  } else if (el.textContent !== s) el.textContent = s;
}

/** The same for an attribute. */
export function set(el: Element, name: string, value: string): void {
  if (el.getAttribute(name) !== value) el.setAttribute(name, value);
}
