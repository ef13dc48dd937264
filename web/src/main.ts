// Wires the page: the stream fills the log, the log feeds what is derived
// from it, the player moves, the stage and the panels draw.
import "../styles/main.css";
import { computed, effect, type Signal, signal } from "@preact/signals-core";
import type { App, Lang, Selection, Term } from "./app.ts";
import { mount as mountChapter } from "./chapter/chapter.ts";
import { mountReading } from "./chapter/reading.ts";
import { mount as mountConsole } from "./console/console.ts";
import { caption, componentName, evidenceWords } from "./i18n/captions.ts";
import { duration, ui, type Word, word } from "./i18n/ui.ts";
import { actorName } from "./i18n/words.ts";
import { actorOf } from "./model/actor.ts";
import { History } from "./model/history.ts";
import { Milestones } from "./model/milestones.ts";
import { Stories } from "./model/story.ts";
import { Controls } from "./panel/controls.ts";
import { find } from "./panel/html.ts";
import { Inspector } from "./panel/inspector.ts";
import { legend } from "./panel/legend.ts";
import { SeekBar } from "./panel/seek.ts";
import { StoriesPanel } from "./panel/stories.ts";
import { Tabs } from "./panel/tabs.ts";
import { currentTheme, nextTheme, themeWord } from "./panel/theme.ts";
import { eventsOfStep, Transcript } from "./panel/transcript.ts";
import { milestoneFrom, Transport } from "./panel/transport.ts";
import { Player } from "./player/player.ts";
import { Stage } from "./stage/stage.ts";
import { labelOf } from "./stage/tokens.ts";
import { loadBook } from "./wire/book.ts";
import type { KubeEvent } from "./wire/event.ts";
import { EventLog, KEEP, KEEP_RECORDING } from "./wire/log.ts";
import { type Link, openStream } from "./wire/socket.ts";

const lang: Lang = document.documentElement.lang === "ko" ? "ko" : "en";
/** A recording is played from its beginning, so the page keeps all of it. */
const replaying = document.body.dataset.source === "recording";
const log = new EventLog(replaying ? KEEP_RECORDING : KEEP);
const history = new History(log);
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

const selection: Signal<Selection | null> = signal(null);
const lit: Signal<Term | null> = signal(null);
const link: Signal<Link> = signal("connecting");
/** The server's clock minus ours. */
let skew = 0;
/** The last event the server has told us of. */
let known = 0;
/** What the link to this page asks for: a moment of a log. */
const wanted = /^#at=(\d+)(?:&log=(\w+))?$/.exec(location.hash);

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
  catchUp: () => player.catchUp(),
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
  if (replaying) player.scrub(0);
  if (wanted && (!wanted[2] || wanted[2] === log.id)) player.seek(Number(wanted[1]));
}

/* The page */

const stage = new Stage(find('[data-mount="stage"]'), {
  lang,
  label: lang === "ko" ? "클러스터" : "The cluster",
  player,
  material: () => ({ log, history, stories, timeline: player.timeline }),
  selection,
  lit,
});

const tabs = new Tabs(find('[role="tablist"]'));
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
const controls = new Controls(lang, log, document.body.dataset.source === "sandbox" && !recording, () => schedule());
const inspector = new Inspector(find('[data-mount="inspector"]'), lang, log, history, controls, {
  choose: (s) => {
    selection.value = s;
  },
  seek: (seq) => player.seek(seq),
});
const dialog = find<HTMLDialogElement>("[data-legend]");
legend(find('[data-mount="legend"]'), lang);

const storiesPanel = new StoriesPanel(find('[data-mount="stories"]'), {
  lang,
  live: !recording,
  own: () =>
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
        settled: true,
      })),
  playhead: () => player.playhead.value,
  bounds: () => ({ first: log.first, last: log.last }),
  choose: (l) => player.seek(l.root),
  redraw: () => schedule(),
});

const status = find("[data-status]");
function step(by: 1 | -1): void {
  player.step(by);
  status.textContent = captionNow().text;
}

const transport = new Transport(lang, player, {
  step,
  milestone(by) {
    const to = milestoneFrom(milestones.list, player.playhead.value, by);
    if (to !== null) player.seek(to);
    else if (by > 0) player.catchUp();
    status.textContent = captionNow().text;
  },
  legend() {
    if (dialog.open) dialog.close();
    else dialog.showModal();
  },
  theme() {
    nextTheme();
    showTheme();
  },
  inspect() {
    const { seq } = captionNow();
    if (seq) selection.value = { type: "event", seq };
  },
  escape() {
    selection.value = null;
    tabs.show("notes");
  },
});
dialog.addEventListener("click", (ev) => {
  if (ev.target === dialog) dialog.close();
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
const storyTitle = find("[data-story-title]");
const storyFacts = find("[data-story-facts]");
const langLinks = [...document.querySelectorAll<HTMLAnchorElement>("[data-lang-link]")];

function captionNow(): { text: string; evidence: string; seq: number } {
  const l = player.timeline;
  const at = l.stepAt(player.t.value);
  const events = eventsOfStep(l, log, at);
  const e = events[events.length - 1];
  if (!e) return { text: word(lang, log.last < log.first ? "waitingCaption" : "calm"), evidence: "", seq: 0 };
  return { text: caption(lang, { events, event: (s) => log.get(s) }), evidence: evidenceWords(lang, e), seq: e.seq };
}

function storyNow(seq: number): { title: string; facts: string } {
  const story = seq ? stories.of(seq) : undefined;
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
  write(captionText, c.text);
  write(captionEvidence, c.evidence);
  const s = storyNow(c.seq);
  write(storyTitle, s.title);
  write(storyFacts, s.facts);
  transport.draw(link.value, Date.now() + skew);
  seekBar.draw();
  if (tabs.current === "transcript") transcript.draw(player.timeline, player.t.value);
  if (tabs.current === "stories") storiesPanel.draw();
  if (tabs.current === "inspector") inspector.draw(selection.value, player.playhead.value);
}

let frame = 0;
function schedule(): void {
  if (frame === 0) frame = requestAnimationFrame(draw);
}
effect(() => {
  player.t.value;
  player.mode.value;
  player.changed.value;
  selection.value;
  link.value;
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

// Every moment one stops at has a link; the other language opens at the same.
// The address follows when the playhead has rested, since browsers allow few
// changes of it.
let addressing = 0;
effect(() => {
  const paused = player.mode.value === "paused";
  const hash = paused && log.id ? `#at=${player.playhead.value}&log=${log.id}` : "";
  for (const a of langLinks) {
    a.hash = hash;
    if (recording) a.search = location.search;
  }
  window.clearTimeout(addressing);
  addressing = window.setTimeout(() => {
    if (location.hash !== hash && joined) {
      window.history.replaceState(window.history.state, "", hash || location.pathname + location.search);
    }
  }, 300);
});

const chapterRoot = document.querySelector<HTMLElement>('[data-mount="chapter"]');
const consoleRoot = document.querySelector<HTMLElement>('[data-mount="console"]');
if (chapterRoot) {
  mountChapter(chapterRoot, app);
  mountReading(chapterRoot, app);
  void loadBook();
}
if (consoleRoot && recording) {
  consoleRoot.append(
    Object.assign(document.createElement("p"), { className: "hint", textContent: word(lang, "noConsole") }),
  );
} else if (consoleRoot) mountConsole(consoleRoot, app);
if (recording || document.body.dataset.source === "recording") {
  const note = find("[data-replay]");
  note.textContent = `${word(lang, "replays")} `;
  if (recording)
    note.append(
      Object.assign(document.createElement("a"), { href: location.pathname, textContent: word(lang, "backToCluster") }),
    );
  note.hidden = false;
}
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
  catchUp: () => player.catchUp(),
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
