// Light, dark and projector. The choice is kept in this browser.
import type { Lang } from "../app.ts";
import { word } from "../i18n/ui.ts";

const themes = ["light", "dark", "projector"] as const;
export type Theme = (typeof themes)[number];

export function currentTheme(): Theme {
  const t = document.documentElement.dataset.theme;
  return t === "dark" || t === "projector" ? t : "light";
}

export function nextTheme(): void {
  const next = themes[(themes.indexOf(currentTheme()) + 1) % themes.length]!;
  document.documentElement.dataset.theme = next;
  localStorage.setItem("kubestage.theme", next);
}

export function themeWord(lang: Lang, t: Theme): string {
  return word(lang, t);
}
