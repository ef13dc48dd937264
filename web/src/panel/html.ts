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
