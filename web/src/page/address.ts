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
      a.search = search;
      a.hash = hash;
    }
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      if ((location.hash !== hash || location.search !== search) && theatre.joined)
        window.history.replaceState(window.history.state, "", location.pathname + search + hash);
    }, REST);
  });
}
