import type { Lang } from "../app.ts";

/** One text in both languages. */
export type Both = readonly [en: string, ko: string];

export const pick = (lang: Lang, b: Both): string => (lang === "ko" ? b[1] : b[0]);
