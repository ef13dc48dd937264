// Every moment one stops at has a link; the other language opens at the same.
import { effect } from "@preact/signals-core";
import type { Theatre } from "./theatre.ts";

/** How long the playhead has to rest: browsers allow few changes of an address. */
const REST = 300;

export function keepAddress(theatre: Theatre): void {
  const { mode, playhead } = theatre.player;
  const links = [...document.querySelectorAll<HTMLAnchorElement>("[data-lang-link]")];
  let timer = 0;
  effect(() => {
    const { search, hash } = theatre.address(mode.value === "paused" ? playhead.value : null);
    for (const a of links) {
      a.search = inLanguage(search, a.dataset.langLink);
      a.hash = hash;
    }
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      if ((location.hash !== hash || location.search !== search) && theatre.joined) replace(search + hash);
    }, REST);
  });
}

/** The address of a page without a server names its language; the server's pages have it in their path. */
function inLanguage(search: string, lang = ""): string {
  if (!lang) return search;
  const q = new URLSearchParams(search);
  q.set("lang", lang);
  return `?${q}`;
}

function replace(place: string): void {
  try {
    window.history.replaceState(window.history.state, "", location.pathname + place);
  } catch {
    // The address of a file may not be changed in every browser; it stays what it was.
  }
}
