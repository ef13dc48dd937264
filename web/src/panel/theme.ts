// Light, dark and projector. The choice is kept in this browser.
import type { Lang } from "../app.ts";
import { word } from "../i18n/ui.ts";

const themes = ["light", "dark", "projector"] as const;
export type Theme = (typeof themes)[number];

export function isTheme(name: unknown): name is Theme {
  return (themes as readonly unknown[]).includes(name);
}

export function currentTheme(): Theme {
  const t = document.documentElement.dataset.theme;
  return t === "dark" || t === "projector" ? t : "light";
}

export function nextTheme(): void {
  const next = themes[(themes.indexOf(currentTheme()) + 1) % themes.length]!;
  document.documentElement.dataset.theme = next;
  keep(next);
}

/** The theme the reader took last. A frame in another page, and some browsers for files, have no memory. */
export function keptTheme(): string | null {
  try {
    return localStorage.getItem("kubestage.theme");
  } catch {
    return null;
  }
}

function keep(theme: Theme): void {
  try {
    localStorage.setItem("kubestage.theme", theme);
  } catch {
    // It is the theme until the page is left.
  }
}

export function themeWord(lang: Lang, t: Theme): string {
  return word(lang, t);
}
