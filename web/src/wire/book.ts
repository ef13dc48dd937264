// What every page knows of the book: the terms, and which section is about a
// part of the stage or a resource. Asked once, when the page is there.
import { type ReadonlySignal, signal } from "@preact/signals-core";
import type { Lang } from "../app.ts";
import { ask } from "./ask.ts";

export interface Spelling {
  name: string;
  family?: string[];
  gloss: string;
}

export interface BookTerm {
  lights: string;
  in: Record<Lang, Spelling>;
}

export interface BookRow {
  number: string;
  title: Record<Lang, string>;
  /** After the language. */
  path: string;
}

export interface Book {
  terms: Record<string, BookTerm>;
  about: Record<string, BookRow>;
}

const loaded = signal<Book | null>(null);

/** Null until it is here, and where there is no book. */
export const book: ReadonlySignal<Book | null> = loaded;

export async function loadBook(): Promise<void> {
  try {
    loaded.value = (await (await ask("GET", "/api/book")).json()) as Book;
  } catch {
    // Words stay words; the text does not need it.
  }
}
