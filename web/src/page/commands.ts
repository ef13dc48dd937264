// The table of what a person can do on a page with panels, and, for the
// palette, of what there is to go to.

import { word } from "../i18n/ui.ts";
import { type Command, keyNames } from "../panel/commands.ts";
import { find } from "../panel/html.ts";
import type { Choice } from "../panel/palette.ts";
import { tabNames } from "../panel/tabs.ts";
import { zooms } from "../stage/zoom.ts";
import { type ViewName, viewNames } from "../view/view.ts";
import { book } from "../wire/book.ts";
import type { Desk } from "./desk.ts";
import { savePicture } from "./picture.ts";

const viewKeys: Record<ViewName, string> = { stage: "s", sequence: "q", etcd: "e", scheduler: "d", object: "y" };

/** own are the page's own: what only it can do. */
export function commandsOf(desk: Desk, own: readonly Command[]): Command[] {
  const { doings, theatre } = desk;
  const { player, views } = theatre;
  return [
    { id: "play", says: "doPlay", keys: [" ", "."], run: () => player.toggle() },
    { id: "back", says: "doBack", keys: ["ArrowLeft"], run: () => doings.step(-1) },
    { id: "forward", says: "doForward", keys: ["ArrowRight"], run: () => doings.step(1) },
    { id: "previous", says: "doPrevious", keys: ["PageUp"], run: () => doings.milestone(-1) },
    { id: "next", says: "doNext", keys: ["PageDown"], run: () => doings.milestone(1) },
    { id: "slower", says: "doSlower", keys: ["-"], run: () => player.faster(-1) },
    { id: "faster", says: "doFaster", keys: ["+", "="], run: () => player.faster(1) },
    { id: "live", says: "doLive", keys: ["l"], run: () => doings.catchUp() },
    { id: "replay", says: "doReplay", keys: ["r"], run: () => doings.replay() },
    { id: "pin", says: "pin", keys: ["t"], run: () => doings.pin() },
    { id: "loop", says: "loop", keys: ["u"], run: () => doings.toggleLoop() },
    { id: "loop-from", says: "loopFrom", keys: ["i"], run: () => doings.loopFrom("from") },
    { id: "loop-to", says: "loopTo", keys: ["o"], run: () => doings.loopFrom("to") },
    {
      id: "inspect",
      says: "doInspect",
      keys: ["w", "Enter"],
      run: () => doings.why(desk.tabs.current === "inspector"),
    },
    { id: "compare", says: "doCompare", keys: ["b"], run: () => doings.compare() },
    ...viewNames.map(
      (name): Command => ({
        id: `view-${name}`,
        says: `view_${name}`,
        keys: [viewKeys[name]],
        run: () => views.show(name),
      }),
    ),
    ...zooms.map((says, i): Command => ({ id: says, says, keys: [String(i + 1)], run: () => doings.zoom(i) })),
    ...own,
    { id: "picture-svg", says: "doSvg", run: () => void savePicture(theatre, "svg") },
    { id: "picture-png", says: "doPng", run: () => void savePicture(theatre, "png") },
    { id: "transcript", says: "copyTranscript", run: () => desk.copyTranscript() },
    { id: "palette", says: "doPalette", keys: ["/"], unlisted: true, run: () => desk.palette.open() },
    { id: "legend", says: "doLegend", keys: ["?"], run: () => desk.toggleLegend() },
    { id: "theme", says: "doTheme", run: () => desk.nextTheme() },
    { id: "escape", says: "doEscape", keys: ["Escape"], unlisted: true, run: () => desk.escape() },
  ];
}

/** Kinds of which there are very many, and nobody asks for one of them by name. */
const unasked = new Set(["events", "leases"]);

export function choicesOf(desk: Desk): Choice[] {
  const { doings, theatre } = desk;
  const { lang, look, past, player, views, words } = theatre;
  return [
    ...desk.commands
      .filter((c) => !c.unlisted)
      .map(
        (c): Choice => ({
          group: c.id.startsWith("view-") ? "groupViews" : "groupActions",
          title: word(lang, c.says),
          more: keyNames(c),
          run: () => c.run(),
        }),
      ),
    ...tabNames.map(
      (name): Choice => ({
        group: "groupPanels",
        title: find(`#tab-${name}`).textContent ?? name,
        run: () => desk.tabs.show(name),
      }),
    ),
    {
      group: "groupActions",
      title: word(lang, "doLanguage"),
      run: () => document.querySelector<HTMLElement>(`[data-lang-link]:not([lang="${lang}"])`)?.click(),
    },
    ...past.stories
      .all()
      .filter((s) => s.events.length > 1)
      .reverse()
      .map(
        (s): Choice => ({
          group: "groupStories",
          title: words.titleOf(s.root),
          more: `${s.root}`,
          run: () => doings.chooseStory(s.root),
        }),
      ),
    ...chapters(lang).map(
      ([path, title]): Choice => ({
        group: "groupChapters",
        title,
        run() {
          location.href = `/${lang}/${path}`;
        },
      }),
    ),
    ...[...past.history.at(player.playhead.value).objects.values()]
      .filter((o) => !unasked.has(o.resource))
      .map(
        (o): Choice => ({
          group: "groupObjects",
          title: o.key,
          run() {
            look.selection.value = { type: "object", key: o.key, uid: o.uid };
            if (look.view.value === "stage") views.show("object");
          },
        }),
      ),
  ];
}

/** The book's pages that can be gone to, by their path. */
function chapters(lang: "en" | "ko"): [path: string, title: string][] {
  const pages = new Map<string, string>();
  for (const row of Object.values(book.value?.about ?? {}))
    if (!pages.has(row.path)) pages.set(row.path, `${row.number} ${row.title[lang]}`.trim());
  return [...pages];
}
