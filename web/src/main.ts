// The server's pages: a stage that is fed by the server's stream, its panels,
// the chapter beside it, the console, and a class.
import "../styles/main.css";
import { batch, computed } from "@preact/signals-core";
import { readPlace } from "./address.ts";
import { type App, type Lang, mayAct } from "./app.ts";
import { mount as mountChapter } from "./chapter/chapter.ts";
import { mountReading } from "./chapter/reading.ts";
import { mount as mountConsole, OFFER } from "./console/console.ts";
import { TerminalDrawer } from "./console/drawer.ts";
import { askAboutLink } from "./console/linked.ts";
import { follows, joinClass } from "./follow/class.ts";
import { word } from "./i18n/ui.ts";
import { keepAddress } from "./page/address.ts";
import { Desk } from "./page/desk.ts";
import { openDoor } from "./page/door.ts";
import { LinkDialog } from "./page/linkdialog.ts";
import { Stream } from "./page/stream.ts";
import { Theatre } from "./page/theatre.ts";
import type { Command } from "./panel/commands.ts";
import { loadBook } from "./wire/book.ts";
import { KEEP, KEEP_RECORDING } from "./wire/log.ts";

const lang: Lang = document.documentElement.lang === "ko" ? "ko" : "en";
/** The kept recording this page plays in place of the cluster. */
const recording = new URLSearchParams(location.search).get("recording");
/** A server that has nothing but a recording plays it from its beginning, and the page keeps all of it. */
const replaying = document.body.dataset.source === "recording";
/** Whether the reader is of a class, for whom the server does less. */
const watching = document.body.dataset.watching !== undefined;
/** What the address of this page asks for. */
const wanted = readPlace(location.search, location.hash);

const theatre = new Theatre(
  lang,
  new Stream(recording, replaying || recording !== null),
  wanted,
  replaying ? KEEP_RECORDING : KEEP,
);
const { look, past, player, words } = theatre;
const { log } = past;
/** It acts on the running cluster, not on what a recording shows. */
const terminalRoot = recording ? null : document.querySelector<HTMLElement>('[data-mount="terminal"]');
const terminal = terminalRoot && new TerminalDrawer(terminalRoot, lang);
if (!terminal) document.querySelector('.tool[data-action="terminal"]')?.remove();
const desk = new Desk(theatre, {
  orders: mayAct() && !recording,
  records: !recording && !watching,
  commands: (): Command[] => [
    { id: "link", says: "copyLink", keys: ["c"], run: () => void links.open() },
    ...(watching ? [] : [{ id: "export", says: "doExport", run: () => links.export() } satisfies Command]),
    ...(follows
      ? []
      : [{ id: "present", says: "presentTitle", keys: ["p"], run: () => classroom.present() } satisfies Command]),
    ...(terminal
      ? [{ id: "terminal", says: "doTerminal", keys: ["`"], run: () => terminal.toggle() } satisfies Command]
      : []),
  ],
});
const { doings, writing } = desk;
const links = new LinkDialog(theatre, writing, { recording, serves: !watching });

theatre.onjoin = () => {
  if (follows) {
    classroom.joined();
    return;
  }
  if (replaying) player.scrub(0);
  if (wanted.log && wanted.log !== log.id) {
    batch(() => {
      look.chosen.value = 0;
      look.compared.value = 0;
    });
    writing.notice(word(lang, "otherLog"));
    return;
  }
  if (wanted.at !== null) player.seek(wanted.at);
  look.selection.value = wanted.focus;
};

keepAddress(theatre);

const app: App = {
  lang,
  signals: {
    playhead: player.playhead,
    live: computed(() => player.mode.value === "live"),
    selection: look.selection,
    lit: look.lit,
  },
  log,
  seek: (seq) => player.seek(seq),
  playFrom(seq) {
    player.seek(seq);
    player.play();
  },
  catchUp: () => doings.catchUp(),
  light: (term) => {
    look.lit.value = term;
  },
  look(view, key) {
    const beside = desk.tabs.current;
    look.selection.value = { type: "object", key };
    theatre.views.show(view);
    desk.tabs.show(beside);
  },
  onEvent: (fn) => theatre.onEvent(fn),
};
const chapterRoot = document.querySelector<HTMLElement>('[data-mount="chapter"]');
const consoleRoot = document.querySelector<HTMLElement>('[data-mount="console"]');
if (chapterRoot) {
  mountChapter(chapterRoot, app);
  mountReading(chapterRoot, app);
  void loadBook();
}
if (consoleRoot && (recording || replaying)) {
  consoleRoot.append(
    Object.assign(document.createElement("p"), { className: "hint", textContent: word(lang, "noConsole") }),
  );
} else if (consoleRoot) mountConsole(consoleRoot, app);
askAboutLink(lang, (command, answer) =>
  document.dispatchEvent(new CustomEvent(OFFER, { detail: { command, run: answer === "run" } })),
);
if (recording) {
  const back = { href: location.pathname, textContent: word(lang, "backToCluster") };
  writing.notice(`${word(lang, "replays")} `, Object.assign(document.createElement("a"), back));
} else if (replaying) writing.notice(`${word(lang, "replays")} `);

const classroom = joinClass({
  lang,
  player,
  log,
  view: () => theatre.views.current.value,
  show: (name) => theatre.views.show(name),
  caption() {
    const { text, evidence } = words.caption;
    return { now: text, evidence, next: words.next.text, title: words.title, notes: speakerNotes() };
  },
  act: (id) => desk.commands.find((c) => c.id === id)?.run(),
});

/** What the chapter says of the step one is at, for who speaks: paragraphs between empty lines. */
function speakerNotes(): string {
  const step =
    document.querySelector('.step[data-state="current"], .step:has([aria-expanded="true"])') ??
    document.querySelector(".chapter-head");
  const paragraphs = step?.querySelectorAll(".step-name, .step-text p, .step-text li, .chapter-summary") ?? [];
  return [...paragraphs]
    .map((p) => p.textContent?.trim() ?? "")
    .join("\n\n")
    .slice(0, 4000);
}

theatre.open();
openDoor(theatre, doings);
