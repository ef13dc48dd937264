// Wires the page: the stream fills the log, the log feeds what is derived
// from it, the player moves, the stage and the panels draw.
import "../styles/main.css";
import { batch, computed, effect, type Signal, signal } from "@preact/signals-core";
import { readPlace, writePlace } from "./address.ts";
import { type App, type Lang, mayAct, type Selection, type Term } from "./app.ts";
import { mount as mountChapter } from "./chapter/chapter.ts";
import { mountReading } from "./chapter/reading.ts";
import { mount as mountConsole } from "./console/console.ts";
import { follows, joinClass } from "./follow/class.ts";
import { caption, componentName, evidenceWords } from "./i18n/captions.ts";
import { duration, ui, type Word, word } from "./i18n/ui.ts";
import { actorName } from "./i18n/words.ts";
import { actorOf } from "./model/actor.ts";
import { History } from "./model/history.ts";
import { Ledger } from "./model/ledger.ts";
import { Milestones } from "./model/milestones.ts";
import { Stories, type Story } from "./model/story.ts";
import { type Command, keyNames, listen } from "./panel/commands.ts";
import { Controls } from "./panel/controls.ts";
import { find } from "./panel/html.ts";
import { Inspector } from "./panel/inspector.ts";
import { legend } from "./panel/legend.ts";
import { type Choice, Palette } from "./panel/palette.ts";
import { SeekBar } from "./panel/seek.ts";
import { StoriesPanel } from "./panel/stories.ts";
import { type TabName, Tabs, tabNames } from "./panel/tabs.ts";
import { currentTheme, nextTheme, themeWord } from "./panel/theme.ts";
import { eventsOfStep, Transcript } from "./panel/transcript.ts";
import { milestoneFrom, Transport } from "./panel/transport.ts";
import { lowerBound } from "./player/display.ts";
import { Player } from "./player/player.ts";
import { Stage } from "./stage/stage.ts";
import { labelOf } from "./stage/tokens.ts";
import { zooms } from "./stage/zoom.ts";
import { type Moment, type ViewName, viewNames } from "./view/view.ts";
import { Views } from "./view/views.ts";
import { book, loadBook } from "./wire/book.ts";
import type { KubeEvent } from "./wire/event.ts";
import { EventLog, KEEP, KEEP_RECORDING } from "./wire/log.ts";
import { type Link, openStream } from "./wire/socket.ts";

const lang: Lang = document.documentElement.lang === "ko" ? "ko" : "en";
/** A recording is played from its beginning, so the page keeps all of it. */
const replaying = document.body.dataset.source === "recording";
const log = new EventLog(replaying ? KEEP_RECORDING : KEEP);
const history = new History(log);
const ledger = new Ledger(log);
let stories = new Stories();
let milestones = new Milestones();
log.listen({
  append(events) {
    for (const e of events) {
      const lane = history.lane(e.seq)!;
      stories.push(e, lane);
      milestones.push(e, lane);
    }
  },
  reset(first) {
    stories = new Stories(first);
    milestones = new Milestones();
  },
  dropping(before) {
    stories.drop(before);
    milestones.drop(before);
  },
});
const player = new Player(log, history, {
  now: () => performance.now(),
  request: (fn) => requestAnimationFrame(fn),
  cancel: (id) => cancelAnimationFrame(id),
});

/** What the address of this page asks for. */
const wanted = readPlace(location.search, location.hash);
player.setSpeed(wanted.speed);
const selection: Signal<Selection | null> = signal(null);
const view: Signal<ViewName> = signal(wanted.view);
/** The root of the story that was chosen to be stepped through; 0: whatever happens. */
const chosen: Signal<number> = signal(wanted.story);
const compared: Signal<number> = signal(wanted.compared);
/** The theme the address asks for, until the reader takes another. */
const theme: Signal<string> = signal(wanted.theme);
const lit: Signal<Term | null> = signal(null);
/** What is open on the stage; see stage/zoom.ts. */
const zoom: Signal<string | null> = signal(wanted.open || null);
const link: Signal<Link> = signal("connecting");
/** The server's clock minus ours. */
let skew = 0;
/** The last event the server has told us of. */
let known = 0;
/** The kept recording this page plays in place of the cluster. */
const recording = new URLSearchParams(location.search).get("recording");

const listeners = new Set<(e: KubeEvent) => void>();
const app: App = {
  lang,
  signals: { playhead: player.playhead, live: computed(() => player.mode.value === "live"), selection, lit },
  log,
  seek: (seq) => player.seek(seq),
  playFrom(seq) {
    player.seek(seq);
    player.play();
  },
  catchUp,
  light: (term) => {
    lit.value = term;
  },
  onEvent(fn) {
    listeners.add(fn);
    return () => listeners.delete(fn);
  },
};

/* The stream */

function openLog(): void {
  const url = (after: number) => {
    const u = new URL("/api/stream", location.href);
    u.protocol = u.protocol === "https:" ? "wss:" : "ws:";
    u.searchParams.set("after", String(after));
    if (recording) u.searchParams.set("recording", recording);
    if (log.id) u.searchParams.set("log", log.id); // the server may have begun another one meanwhile
    return u.href;
  };
  openStream(url, {
    after: () => (log.id ? log.last : 0),
    link: (state) => {
      link.value = state;
    },
    message(m) {
      switch (m.type) {
        case "hello":
          skew = Date.parse(m.now) - Date.now();
          known = m.last;
          if (log.id !== m.log) begin(m.log, Math.max(m.first, 1));
          if (m.last < m.first) player.join();
          break;
        case "events":
          log.append(m.events);
          for (const e of m.events) for (const fn of listeners) fn(e);
          known = Math.max(known, log.last);
          joinWhenRead();
          break;
        case "gap":
          begin(log.id, m.first);
          break;
        case "ping":
          skew = Date.parse(m.now) - Date.now();
          known = Math.max(known, m.last);
          joinWhenRead();
          break;
      }
    },
  });
}

let joined = false;

/** Another log, or a hole in this one: what follows is joined anew. */
function begin(id: string, first: number): void {
  log.reset(id, first);
  joined = false;
}

function joinWhenRead(): void {
  if (joined || (log.last < known && log.range(log.first, log.last).length < KEEP)) return;
  joined = true;
  player.join();
  if (follows) {
    classroom.joined();
    return;
  }
  if (replaying) player.scrub(0);
  if (wanted.log && wanted.log !== log.id) {
    batch(() => {
      chosen.value = 0;
      compared.value = 0;
    });
    notice(word(lang, "otherLog"));
    return;
  }
  if (wanted.at !== null) player.seek(wanted.at);
  selection.value = wanted.focus;
}

/* The page */

const stage = new Stage(find('[data-mount="stage"]'), {
  lang,
  label: lang === "ko" ? "클러스터" : "The cluster",
  player,
  material: () => ({ log, history, stories, timeline: player.timeline }),
  selection,
  lit,
  zoom,
});

const tabs = new Tabs<TabName>(find('[role="tablist"]'), "notes");
const views = new Views(view, {
  select: (s) => {
    selection.value = s;
  },
  seek: (seq) => player.seek(seq),
  compare: (root) => {
    compared.value = root;
  },
  titleOf,
  redraw: () => schedule(),
});
const transcript = new Transcript(
  find('[data-mount="transcript"]'),
  lang,
  log,
  (seq) => {
    selection.value = { type: "event", seq };
    player.seek(seq);
  },
  () => schedule(),
);
const controls = new Controls(lang, log, mayAct() && !recording, () => schedule());
const inspector = new Inspector(find('[data-mount="inspector"]'), lang, log, history, controls, {
  choose: (s) => {
    selection.value = s;
  },
  seek: (seq) => player.seek(seq),
});
const dialog = find<HTMLDialogElement>("[data-legend]");

const storiesPanel = new StoriesPanel(find('[data-mount="stories"]'), {
  lang,
  live: !recording && document.body.dataset.watching === undefined,
  stories: () =>
    stories
      .all()
      .filter((s) => s.events.length > 1 || log.get(s.root)?.kind === "request")
      .map((s) => ({
        id: String(s.root),
        root: s.root,
        last: s.events[s.events.length - 1] ?? s.root,
        title: titleOf(s.root),
        events: s.events.length,
        actors: s.actors.size,
        start: log.get(s.root)?.start ?? "",
        took: Math.max(0, s.to - s.from),
        settled: stories.settled(s),
      })),
  chosen: () => chosen.value,
  playhead: () => player.playhead.value,
  bounds: () => ({ first: log.first, last: log.last }),
  choose: (l) => chooseStory(l.root),
  redraw: () => schedule(),
});

/* What a person can do */

const status = find("[data-status]");
function tell(text: string): void {
  status.textContent = text;
}

/** A line above the stage that stays until something else is done. */
function notice(text: string): void {
  const note = find("[data-replay]");
  note.textContent = text;
  note.title = text;
  note.hidden = text === "";
}

/** The story that is chosen, or the one the playhead is in. */
function storyNow(): Story | undefined {
  return (chosen.value && stories.get(chosen.value)) || stories.of(captionNow().seq);
}

function chooseStory(root: number): void {
  chosen.value = root;
  player.seek(root);
}

function catchUp(): void {
  chosen.value = 0;
  player.catchUp();
}

function step(by: 1 | -1): void {
  const story = chosen.value ? stories.get(chosen.value) : undefined;
  const l = player.timeline;
  const stepped = player.step(
    by,
    story?.events.filter((seq) => l.steps[lowerBound(l.steps, seq)] === seq),
  );
  tell(story && !stepped ? word(lang, by > 0 ? "storyEnds" : "storyBegins") : captionNow().text);
}

function milestone(by: 1 | -1): void {
  const to = milestoneFrom(milestones.list, player.playhead.value, by);
  if (to !== null) player.seek(to);
  else if (by > 0) catchUp();
  tell(captionNow().text);
}

function loopFrom(edge: "from" | "to"): void {
  const at = captionNow().seq;
  const was = player.loop.value;
  const other = was?.[edge === "from" ? "to" : "from"];
  const story = storyNow();
  const end = story?.events[story.events.length - 1] ?? log.last;
  player.setLoop(
    edge === "from"
      ? { from: at, to: other && other > at ? other : Math.max(at, end) }
      : { from: other && other < at ? other : (story?.root ?? log.first), to: at },
  );
  tellLoop();
}

function toggleLoop(): void {
  const story = storyNow();
  if (player.loop.value || !story) player.setLoop(null);
  else {
    player.setLoop({ from: story.root, to: story.events[story.events.length - 1] ?? story.root });
    player.play();
  }
  tellLoop();
}

function tellLoop(): void {
  const l = player.loop.value;
  tell(word(lang, l ? "looping" : "loopOff", l ? `${l.from}–${l.to}` : undefined));
}

/** Marks in a link's text would end it. */
const markdown = (text: string) => text.replace(/[[\]]/g, "\\$&");

async function copyLink(): Promise<void> {
  const { search, hash } = address(player.playhead.value, currentTheme());
  const url = `${location.origin}${location.pathname}${search}${hash}`;
  const { text } = captionNow();
  await copyText(`[${markdown(`${titleNow()}: ${text}`)}](${url})`, word(lang, "linkCopied"));
}

async function copyText(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    tell(done);
    flash(done);
  } catch {
    flash(word(lang, "cannotCopy"));
  }
}

/** Says for a moment, where the caption is, that something was done. */
function flash(text: string): void {
  said = text;
  schedule();
  window.setTimeout(() => {
    said = "";
    schedule();
  }, 2500);
}
let said = "";

/** What happened here; asked again, what that came of, and so on up to the beginning. */
function why(): void {
  const { seq } = captionNow();
  const at =
    climbing.from === seq && selection.value?.type === "event" && tabs.current === "inspector" ? climbing.at : 0;
  const cause = at ? log.get(at)?.causes?.find((c) => log.get(c.seq))?.seq : seq;
  if (!cause) return;
  climbing = { from: seq, at: cause };
  selection.value = { type: "event", seq: cause };
  const e = log.get(cause);
  if (e) tell(caption(lang, { events: [e], event: (s) => log.get(s) }));
}
let climbing = { from: 0, at: 0 };

const viewKeys: Record<ViewName, string> = { stage: "s", sequence: "q", etcd: "e", scheduler: "d", object: "y" };
const commands: Command[] = [
  { id: "play", says: "doPlay", keys: [" ", "."], run: () => player.toggle() },
  { id: "back", says: "doBack", keys: ["ArrowLeft"], run: () => step(-1) },
  { id: "forward", says: "doForward", keys: ["ArrowRight"], run: () => step(1) },
  { id: "previous", says: "doPrevious", keys: ["PageUp"], run: () => milestone(-1) },
  { id: "next", says: "doNext", keys: ["PageDown"], run: () => milestone(1) },
  { id: "slower", says: "doSlower", keys: ["-"], run: () => player.faster(-1) },
  { id: "faster", says: "doFaster", keys: ["+", "="], run: () => player.faster(1) },
  { id: "live", says: "doLive", keys: ["l"], run: catchUp },
  {
    id: "replay",
    says: "doReplay",
    keys: ["r"],
    run() {
      const story = storyNow();
      if (story) player.seek(story.root);
    },
  },
  {
    id: "pin",
    says: "pin",
    keys: ["t"],
    run() {
      chosen.value = chosen.value ? 0 : (storyNow()?.root ?? 0);
      tell(word(lang, chosen.value ? "pinned" : "unpin"));
    },
  },
  { id: "loop", says: "loop", keys: ["u"], run: toggleLoop },
  { id: "loop-from", says: "loopFrom", keys: ["i"], run: () => loopFrom("from") },
  { id: "loop-to", says: "loopTo", keys: ["o"], run: () => loopFrom("to") },
  {
    id: "inspect",
    says: "doInspect",
    keys: ["w", "Enter"],
    run: why,
  },
  {
    id: "compare",
    says: "doCompare",
    keys: ["b"],
    run() {
      const story = storyNow();
      const before = stories.all().findLast((s) => story && s.root < story.root && s.events.length > 3);
      batch(() => {
        chosen.value = story?.root ?? 0;
        compared.value = compared.value ? 0 : (before?.root ?? 0);
        views.show("sequence");
      });
    },
  },
  ...viewNames.map(
    (name): Command => ({
      id: `view-${name}`,
      says: `view_${name}`,
      keys: [viewKeys[name]],
      run: () => views.show(name),
    }),
  ),
  ...zooms.map(
    (says, i): Command => ({
      id: says,
      says,
      keys: [String(i + 1)],
      run() {
        const to = stage.zoomOf(i);
        if (!to) return;
        views.show("stage");
        zoom.value = zoom.value === to ? null : to;
      },
    }),
  ),
  { id: "link", says: "copyLink", keys: ["c"], run: () => void copyLink() },
  {
    id: "transcript",
    says: "copyTranscript",
    run: () => void copyText(transcript.markdown(player.timeline, player.t.value, titleNow()), word(lang, "copied")),
  },
  ...(follows
    ? []
    : [{ id: "present", says: "presentTitle", keys: ["p"], run: () => classroom.present() } satisfies Command]),
  { id: "palette", says: "doPalette", keys: ["/"], unlisted: true, run: () => palette.open() },
  {
    id: "legend",
    says: "doLegend",
    keys: ["?"],
    run() {
      if (dialog.open) dialog.close();
      else dialog.showModal();
    },
  },
  {
    id: "theme",
    says: "doTheme",
    run() {
      nextTheme();
      theme.value = "";
      showTheme();
    },
  },
  {
    id: "escape",
    says: "doEscape",
    keys: ["Escape"],
    unlisted: true,
    run() {
      if (zoom.value) {
        zoom.value = null;
        return;
      }
      selection.value = null;
      tabs.show("notes");
    },
  },
];
listen(commands);
legend(find('[data-mount="legend"]'), lang, commands);

/** Kinds of which there are very many, and nobody asks for one of them by name. */
const unasked = new Set(["events", "leases"]);

/** The book's pages that can be gone to, by their path. */
function chapters(): [path: string, title: string][] {
  const pages = new Map<string, string>();
  for (const row of Object.values(book.value?.about ?? {}))
    if (!pages.has(row.path)) pages.set(row.path, `${row.number} ${row.title[lang]}`.trim());
  return [...pages];
}

const palette = new Palette(lang, () => [
  ...commands
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
      run: () => tabs.show(name),
    }),
  ),
  {
    group: "groupActions",
    title: word(lang, "doLanguage"),
    run: () => langLinks.find((a) => a.lang !== lang)?.click(),
  },
  ...stories
    .all()
    .filter((s) => s.events.length > 1)
    .reverse()
    .map(
      (s): Choice => ({
        group: "groupStories",
        title: titleOf(s.root),
        more: `${s.root}`,
        run: () => chooseStory(s.root),
      }),
    ),
  ...chapters().map(
    ([path, title]): Choice => ({
      group: "groupChapters",
      title,
      run() {
        location.href = `/${lang}/${path}`;
      },
    }),
  ),
  ...[...history.at(player.playhead.value).objects.values()]
    .filter((o) => !unasked.has(o.resource))
    .map(
      (o): Choice => ({
        group: "groupObjects",
        title: o.key,
        run() {
          selection.value = { type: "object", key: o.key, uid: o.uid };
          if (view.value === "stage") views.show("object");
        },
      }),
    ),
]);

const transport = new Transport(lang, player);
dialog.addEventListener("click", (ev) => {
  if (ev.target === dialog || (ev.target as Element).closest("[data-close]")) dialog.close();
});
dialog.addEventListener("keydown", (ev) => {
  if (ev.key === "?") dialog.close();
});
const seekBar = new SeekBar(find("[data-seek]"), lang, player, log, () => milestones.list, schedule);

function showTheme(): void {
  find("[data-theme-name]").textContent = themeWord(lang, currentTheme());
}
showTheme();

/* What is written around the stage */

const captionText = find("[data-caption-text]");
const captionEvidence = find("[data-caption-evidence]");
const pinButton = find('[data-action="pin"]');
const storyTitle = find("[data-story-title]");
const storyFacts = find("[data-story-facts]");
const langLinks = [...document.querySelectorAll<HTMLAnchorElement>("[data-lang-link]")];

function captionNow(): { text: string; evidence: string; seq: number } {
  const now = captionOf(player.timeline.stepAt(player.t.value));
  return now.seq ? now : { ...now, text: word(lang, log.last < log.first ? "waitingCaption" : "calm") };
}

function captionOf(step: number): { text: string; evidence: string; seq: number } {
  const events = eventsOfStep(player.timeline, log, step);
  const e = events[events.length - 1];
  if (!e) return { text: "", evidence: "", seq: 0 };
  return { text: caption(lang, { events, event: (s) => log.get(s) }), evidence: evidenceWords(lang, e), seq: e.seq };
}

/** What the chapter says of the step one is at, for who speaks: paragraphs between empty lines. */
function notesNow(): string {
  const step =
    document.querySelector('.step[data-state="current"], .step:has([aria-expanded="true"])') ??
    document.querySelector(".chapter-head");
  const paragraphs = step?.querySelectorAll(".step-name, .step-text p, .step-text li, .chapter-summary") ?? [];
  return [...paragraphs]
    .map((p) => p.textContent?.trim() ?? "")
    .join("\n\n")
    .slice(0, 4000);
}

function titleNow(): string {
  const story = storyNow();
  return story ? titleOf(story.root) : "Kubestage";
}

function headNow(): { title: string; facts: string } {
  const story = storyNow();
  const root = story && log.get(story.root);
  if (!story || !root) return { title: word(lang, log.last < log.first ? "waitingTitle" : "restTitle"), facts: "" };
  const facts = [
    word(lang, story.events.length === 1 ? "eventOf" : "eventsOf", story.events.length),
    word(lang, "actorsOf", story.actors.size),
    duration(lang, Math.max(0, story.to - story.from)),
  ].join(" · ");
  const quiet = root.kind === "component" && story.events.length < 2;
  return { title: titleOf(story.root), facts: quiet ? "" : facts };
}

function titleOf(seq: number): string {
  const root = log.get(seq);
  if (!root) return "";
  if (root.kind === "component") {
    const early = (root.verb === "starting" || root.verb === "ready") && !root.detail?.restarts && !root.detail?.by;
    const health =
      root.verb === "backoff" ? word(lang, "exited") : root.verb in ui ? word(lang, root.verb as Word) : root.verb;
    return early ? word(lang, "startsTitle") : `${componentName(lang, root.to ?? "")}: ${health}`;
  }
  if (root.kind === "link") return caption(lang, { events: [root], event: (s) => log.get(s) });
  const agent = typeof root.detail?.userAgent === "string" ? root.detail.userAgent : "";
  const label = labelOf(root) || `${root.kind} ${root.verb}`;
  return `${actorName(lang, actorOf(root.from), agent)}: ${label}`;
}

function write(el: Element, s: string): void {
  if (el.textContent !== s) el.textContent = s;
}

function draw(): void {
  frame = 0;
  const c = captionNow();
  write(captionText, said || c.text);
  write(captionEvidence, said ? "" : c.evidence);
  const s = headNow();
  write(storyTitle, s.title);
  write(storyFacts, s.facts);
  transport.draw(link.value, Date.now() + skew);
  seekBar.draw();
  pinButton.setAttribute("aria-pressed", String(chosen.value !== 0));
  views.draw(moment());
  if (tabs.current === "transcript") transcript.draw(player.timeline, player.t.value);
  if (tabs.current === "stories") storiesPanel.draw();
  if (tabs.current === "inspector") inspector.draw(selection.value, player.playhead.value);
}

function moment(): Moment {
  return {
    lang,
    log,
    history,
    stories,
    ledger,
    playhead: player.playhead.value,
    focus: captionNow().seq,
    story: storyNow(),
    compared: compared.value,
    selection: selection.value,
  };
}

let frame = 0;
function schedule(): void {
  if (frame === 0) frame = requestAnimationFrame(draw);
}
effect(() => {
  player.t.value;
  player.mode.value;
  player.changed.value;
  player.loop.value;
  selection.value;
  link.value;
  view.value;
  chosen.value;
  compared.value;
  schedule();
});
tabs.onchange = () => schedule();
let seen: Selection | null = null;
effect(() => {
  const s = selection.value;
  if (s && s !== seen) tabs.show("inspector");
  seen = s;
});
// The clock goes on while nothing else does.
setInterval(() => {
  if (player.mode.value !== "live") schedule();
}, 1000);

/** Where one is now, at an event or following the cluster. */
function address(at: number | null, inTheme = theme.value): { search: string; hash: string } {
  const focus = selection.value;
  return writePlace(
    {
      at,
      log: log.id,
      view: view.value,
      story: chosen.value,
      compared: compared.value,
      focus,
      open: zoom.value ?? "",
      speed: player.speed.value,
      theme: inTheme,
    },
    location.search,
  );
}

// Every moment one stops at has a link; the other language opens at the same.
// The address follows when the playhead has rested, since browsers allow few
// changes of it.
let addressing = 0;
effect(() => {
  const { search, hash } = address(player.mode.value === "paused" ? player.playhead.value : null);
  for (const a of langLinks) {
    a.search = search;
    a.hash = hash;
  }
  window.clearTimeout(addressing);
  addressing = window.setTimeout(() => {
    if ((location.hash !== hash || location.search !== search) && joined)
      window.history.replaceState(window.history.state, "", location.pathname + search + hash);
  }, 300);
});

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
if (recording || document.body.dataset.source === "recording") {
  const note = find("[data-replay]");
  notice(`${word(lang, "replays")} `);
  if (recording)
    note.append(
      Object.assign(document.createElement("a"), { href: location.pathname, textContent: word(lang, "backToCluster") }),
    );
}
const classroom = joinClass({
  lang,
  player,
  log,
  view: () => views.current.value,
  show: (name) => views.show(name),
  caption() {
    const { text, evidence } = captionNow();
    const next = captionOf(player.timeline.stepAt(player.t.value) + 1).text;
    return { now: text, evidence, next, title: titleNow(), notes: notesNow() };
  },
  act: (id) => commands.find((c) => c.id === id)?.run(),
});
openLog();

/* For tests and for the curious */

export interface Kubestage {
  /** Nothing waits: all the server told of is here, the playhead is at rest, nothing is to be drawn. */
  idle(): boolean;
  playhead(): number;
  live(): boolean;
  mode(): string;
  seek(seq: number): void;
  step(by: 1 | -1): void;
  play(): void;
  pause(): void;
  catchUp(): void;
  speed(speed: number): void;
  /** Foreground events in the order in which the stage drew them arriving. */
  drawn(): number[];
  /** What the log holds here: first and last sequence number, and the foreground. */
  log(): { id: string; first: number; last: number; foreground: number[] };
  event(seq: number): KubeEvent | undefined;
  state(): unknown;
}

const api: Kubestage = {
  idle: () => joined && log.last >= known && player.still && stage.idle && frame === 0,
  playhead: () => player.playhead.value,
  live: () => player.mode.value === "live",
  mode: () => player.mode.value,
  seek: (seq) => player.seek(seq),
  step,
  play: () => player.play(),
  pause: () => player.pause(),
  catchUp,
  speed: (s) => player.setSpeed(s),
  drawn: () => [...player.drawn],
  log: () => ({ id: log.id, first: log.first, last: log.last, foreground: [...player.timeline.foreground] }),
  event: (seq) => log.get(seq),
  state() {
    const s = history.at(player.playhead.value);
    return {
      seq: s.seq,
      revision: s.revision,
      pods: [...s.pods.values()],
      nodes: [...s.nodes.values()],
      components: [...s.components.values()],
      controllers: [...s.controllers.values()].map((c) => c.name),
      quiet: { ...s.quiet },
    };
  },
};
declare global {
  interface Window {
    kubestage: Kubestage;
  }
}
window.kubestage = api;
