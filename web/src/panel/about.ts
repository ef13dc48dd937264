// "About this: 4.2.1 etcd": from what is looked at on the stage to its text.
import type { Lang } from "../app.ts";
import { pick } from "../i18n/lang.ts";
import { h, type VNode } from "../stage/node.ts";
import { book } from "../wire/book.ts";

/** A line for the first of these things that the book explains; null when it explains none. */
export function aboutLine(lang: Lang, ...things: (string | undefined)[]): VNode | null {
  const row = things.map((t) => t && book.value?.about[t]).find(Boolean);
  if (!row) return null;
  return h(
    "p",
    { key: "about", class: "about-line" },
    `${pick(lang, ["About this", "이것에 관한 글"])}: `,
    h("a", { href: `/${lang}/${row.path}` }, `${row.number} ${row.title[lang]}`.trim()),
  );
}
