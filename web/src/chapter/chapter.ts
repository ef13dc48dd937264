// The chapter beside the stage. Its text is on the page already; here it
// learns what happened: steps follow the playhead, the log answers the
// prediction, and the server says whether the checkpoint is met.
import { batch, effect, signal } from "@preact/signals-core";
import { type App, type Mount, mayAct } from "../app.ts";
import { isAbort, postLines } from "../console/stream.ts";
import { duration } from "../i18n/ui.ts";
import { ask, Refused } from "../wire/ask.ts";
import { mountCheckpoint } from "./checkpoint.ts";
import { Commands, mountCommands, mountFlags } from "./commands.ts";
import { mountGlow } from "./glow.ts";
import { mountFinds } from "./ownnotes.ts";
import { mountPrediction } from "./prediction.ts";
import { captured, elapsed, type Fact, fill, readFact, type StepState, stepStates } from "./steps.ts";
import { mountTerms } from "./terms.ts";
import { type ChapterText, chapterText } from "./text.ts";

interface ChapterData {
  id: string;
  steps: { id: string; caption: string; lights: string }[];
  decidedAt: string;
}

interface Progress {
  step?: string;
  prediction?: { chosen: string; answer?: string };
  passed?: string;
}

export const mount: Mount = (root, app) => {
  mountTerms(root, app);
  mountFlags(root);
  mountNote(root, app);
  const chapter = root.querySelector<HTMLElement>("[data-chapter]");
  const json = document.getElementById("chapter-data")?.textContent;
  if (!chapter || !json) return; // the stage page has no chapter
  const data = JSON.parse(json) as ChapterData;
  const t = chapterText[app.lang];
  if (mayAct() && !new URLSearchParams(location.search).has("recording")) mountCommands(chapter, t.toConsole);
  const scene = new SceneView(chapter, app, data, t);
  mountCheckpoint(chapter, data.id, t);
  for (const link of document.querySelectorAll("[data-lang-link]"))
    link.addEventListener("click", () => givePlace(data.id, scene.place));
  // Whoever only watches has no progress, and follows a run that is not theirs.
  if (document.body.dataset.watching === undefined) void load(scene, data.id, chapter, t);
};

/** A person's own note has commands like a chapter, and no scene. */
function mountNote(root: HTMLElement, app: App): void {
  const note = root.querySelector<HTMLElement>("[data-note]");
  if (!note) return;
  mountGlow(note, app);
  mountFinds(note, app);
  if (mayAct()) mountCommands(note, chapterText[app.lang].toConsole);
}

async function load(scene: SceneView, id: string, chapter: HTMLElement, t: ChapterText): Promise<void> {
  await scene.reload();
  const progress = (await ask("GET", `/api/progress/${id}`)
    .then((a) => a.json())
    .catch(() => ({}))) as Progress;
  scene.predicted(progress.prediction?.chosen ?? "");
  const switched = takePlace(id);
  const linked = location.hash.startsWith("#step-") ? location.hash.slice("#step-".length) : "";
  scene.resume(linked || switched || (progress.step ?? ""), linked !== "" || switched !== "");
  if (progress.passed) {
    const status = chapter.querySelector("[data-check-status]");
    if (status && !status.textContent) status.textContent = t.passedBefore;
  }
}

/** Longer than a run may take; a story older than that is not going on. */
const PURSUIT = 90_000;

/** The place in the text, for the page in the other language. */
const PLACE = "kubestage.place";

function givePlace(chapter: string, step: string): void {
  try {
    sessionStorage.setItem(PLACE, `${chapter} ${step}`);
  } catch {
    // without storage the other page begins at its top
  }
}

function takePlace(chapter: string): string {
  try {
    const [of, step] = (sessionStorage.getItem(PLACE) ?? "").split(" ");
    sessionStorage.removeItem(PLACE);
    return of === chapter ? (step ?? "") : "";
  } catch {
    return "";
  }
}

class SceneView {
  private readonly root: HTMLElement;
  private readonly app: App;
  private readonly data: ChapterData;
  private readonly t: ChapterText;
  private readonly ids: string[];
  private readonly facts = signal<ReadonlyMap<string, Fact>>(new Map());
  private readonly running = signal(false);
  private readonly chosen = signal("");
  /** While the reader lets the run lead, the current step is open and its part lit. */
  private readonly following = signal(false);
  private readonly opened = signal<ReadonlySet<string>>(new Set());
  private readonly all = signal(false);
  private stop: AbortController | undefined;
  private factsOf = "";
  private asking = false;
  /** The recording this page plays in place of the cluster. */
  private readonly tape = new URLSearchParams(location.search).get("recording");
  /** What the log of the last run said to the text's claims. */
  private readonly verdicts = signal<readonly boolean[]>([]);

  constructor(root: HTMLElement, app: App, data: ChapterData, t: ChapterText) {
    this.root = root;
    this.app = app;
    this.data = data;
    this.t = t;
    this.ids = data.steps.map((s) => s.id);
    this.mountSteps();
    this.mountRun();
    this.mountClaims();
    const { facts, chosen } = this;
    const { playhead } = app.signals;
    mountPrediction(root, { chapter: data.id, decidedAt: data.decidedAt, facts, playhead, chosen }, t);
    app.onEvent(() => this.pursue());
  }

  /** Asks what is already true in the log: after a reload, or a run in another tab. */
  async reload(): Promise<void> {
    this.factsOf = this.app.log.id;
    try {
      const answer = await ask("GET", `/api/scenes/${this.data.id}/facts${this.tape ? `?recording=${this.tape}` : ""}`);
      this.factsOf = answer.headers.get("Kubestage-Log") ?? this.factsOf;
      const list: unknown = await answer.json();
      if (this.running.peek() || !Array.isArray(list)) return;
      this.facts.value = byStep(list.map(readFact));
    } catch {
      // The Run button says what is wrong when it is used.
    }
  }

  /**
   * Keeps up with what happens without us: another log (the program was started
   * again) knows nothing of our facts, and a run that was begun before this page
   * was loaded goes on in the cluster.
   */
  private pursue(): void {
    if (this.running.peek() || this.asking) return;
    const another = this.factsOf !== "" && this.app.log.id !== "" && this.app.log.id !== this.factsOf;
    if (another) this.facts.value = new Map();
    const facts = this.facts.peek();
    const first = facts.get(this.ids[0] ?? "");
    const unfinished = first && facts.size < this.ids.length && Date.now() - Date.parse(first.start) < PURSUIT;
    if (!another && !unfinished) return;
    this.asking = true;
    setTimeout(() => {
      this.asking = false;
      void this.reload();
    }, 300);
  }

  predicted(option: string): void {
    this.chosen.value = option;
  }

  /** Opens the step where the reader was. */
  resume(step: string, scroll: boolean): void {
    if (!this.ids.includes(step) || this.running.peek()) return;
    this.opened.value = new Set([step]);
    if (scroll) document.getElementById(`step-${step}`)?.scrollIntoView({ block: "center" });
  }

  /** The step the reader is at, for the page in the other language. */
  get place(): string {
    const at = this.root.querySelector<HTMLElement>('.step[data-state="current"]');
    return at?.dataset.step ?? [...this.opened.peek()].at(-1) ?? "";
  }

  // --- steps

  private mountSteps(): void {
    const list = this.root.querySelector<HTMLElement>(".steps");
    if (!list) return;
    const views = this.data.steps.map((step) => {
      const item = list.querySelector<HTMLElement>(`[data-step="${step.id}"]`)!;
      return {
        step,
        item,
        title: item.querySelector<HTMLButtonElement>("[data-step-title]")!,
        mark: item.querySelector<HTMLElement>("[data-step-state]")!,
        time: item.querySelector<HTMLElement>("[data-step-time]")!,
        caption: item.querySelector<HTMLElement>("[data-step-caption]")!,
        text: item.querySelector<HTMLElement>(".step-text")!,
      };
    });

    const toggle = document.createElement("button");
    toggle.type = "button";
    toggle.className = "steps-toggle";
    list.before(toggle);
    toggle.addEventListener("click", () => {
      batch(() => {
        this.all.value = !this.all.value;
        this.opened.value = new Set();
      });
    });

    for (const v of views) {
      v.title.addEventListener("click", () => {
        const fact = this.facts.peek().get(v.step.id);
        const open = v.title.getAttribute("aria-expanded") === "true";
        batch(() => {
          this.following.value = false;
          const opened = new Set(this.opened.value);
          // A step that has happened is first shown; only a second click closes it.
          const here = fact && this.app.signals.playhead.peek() === fact.seq;
          if (open && (!fact || here)) opened.delete(v.step.id);
          else opened.add(v.step.id);
          this.opened.value = opened;
          if (opened.has(v.step.id))
            void ask("PUT", `/api/progress/${this.data.id}/place`, { step: v.step.id }).catch(() => {});
          if (open && (!fact || here)) this.all.value = false;
        });
        if (fact) {
          this.app.seek(fact.seq);
          this.app.light(v.step.lights || null);
        }
      });
    }

    const states = () =>
      stepStates(
        this.ids,
        this.facts.value,
        this.app.signals.playhead.value,
        this.running.value || this.following.value,
      );
    const places = [...this.root.querySelectorAll<HTMLElement>("[data-place]")];
    let before = new Map<string, StepState>();
    effect(() => {
      const now = states();
      const facts = this.facts.value;
      const first = facts.get(this.ids[0] ?? "");
      const values: Record<string, string> = {
        ns: this.root.dataset.namespace ?? "",
        ...captured([...facts.values()].filter((f) => now.get(f.step) === "done")),
      };
      for (const place of places) place.textContent = values[place.dataset.place!] || `<${place.dataset.place}>`;
      let current = "";
      for (const v of views) {
        const state = now.get(v.step.id) ?? "waiting";
        if (state === "current") current = v.step.id;
        v.item.dataset.state = state;
        v.mark.textContent = this.t.states[state];
        const fact = facts.get(v.step.id);
        const done = state === "done" && fact !== undefined;
        v.caption.hidden = !done;
        v.caption.textContent = done ? fill(v.step.caption, values) : "";
        v.time.textContent = done && first ? this.t.later(duration(this.app.lang, elapsed(first, fact))) : "";
        v.title.title = done ? this.t.goTo : "";
      }
      const complete = current === "" && this.ids.every((id) => now.get(id) === "done");
      for (const v of views) {
        const open =
          this.all.value ||
          this.opened.value.has(v.step.id) ||
          (this.following.value && (v.step.id === current || (complete && v.step.id === this.ids.at(-1))));
        v.text.hidden = !open;
        v.title.setAttribute("aria-expanded", String(open));
      }
      toggle.textContent = this.all.value ? this.t.showCurrent : this.t.showAll;
      if (this.following.value && current !== "" && before.get(current) !== "current") {
        const v = views.find((x) => x.step.id === current)!;
        this.app.light(v.step.lights || null);
        if (!narrow()) v.item.scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
      }
      if (this.following.value && complete) this.app.light(null);
      before = now;
    });
  }

  // --- run

  private mountRun(): void {
    const button = this.root.querySelector<HTMLButtonElement>("[data-run]");
    const status = this.root.querySelector<HTMLElement>("[data-run-status]");
    if (!button || !status) return;
    if (this.tape) {
      this.mountTape(button, status);
      return;
    }
    if (!mayAct()) {
      status.textContent = document.body.dataset.source === "recording" ? this.t.nothingRuns : this.t.readOnly;
      // What cannot be run here can be seen as it was once.
      if ("taped" in (button.closest<HTMLElement>("[data-run-scene]")?.dataset ?? {})) {
        const link = document.createElement("a");
        link.href = `?recording=${this.data.id}`;
        link.className = "primary";
        link.textContent = this.t.playRecorded;
        button.replaceWith(link);
      }
      return;
    }
    button.disabled = false;
    effect(() => {
      const again = this.facts.value.size > 0;
      button.textContent = this.running.value ? this.t.stop : again ? this.t.runAgain : this.t.run;
      button.classList.toggle("stop", this.running.value);
    });
    button.addEventListener("click", () => {
      if (this.stop) this.stop.abort();
      else void this.run(status);
    });
    const borneOut = (claims: readonly boolean[]) =>
      claims.length > 0 ? this.t.borneOut(claims.filter(Boolean).length, claims.length) : "";
    // What a finished run says is true once the viewer has seen its end.
    effect(() => {
      if (this.running.value || !this.following.value) return;
      const first = this.facts.value.get(this.ids[0] ?? "");
      const last = this.facts.value.get(this.ids.at(-1) ?? "");
      if (!first || !last || last.seq > this.app.signals.playhead.value) return;
      const done = [this.t.done(duration(this.app.lang, elapsed(first, last))), borneOut(this.verdicts.value)]
        .filter(Boolean)
        .join(" ");
      if (status.textContent !== done) status.textContent = done; // it is read out when it changes
    });
  }

  /** What the log of the run said to each claim of the text, once the viewer has seen its end. */
  private mountClaims(): void {
    const list = this.root.querySelector<HTMLDetailsElement>("[data-claims]");
    if (!list) return;
    const items = [...list.querySelectorAll<HTMLElement>("[data-claim]")];
    effect(() => {
      const last = this.facts.value.get(this.ids.at(-1) ?? "");
      const seen = last !== undefined && last.seq <= this.app.signals.playhead.value;
      const verdicts = seen ? this.verdicts.value : [];
      for (const [i, item] of items.entries()) {
        const state = verdicts[i] === undefined ? "waiting" : verdicts[i] ? "true" : "untrue";
        item.dataset.state = state;
        item.querySelector("[data-claim-state]")!.textContent = this.t.claims[state];
      }
      if (verdicts.includes(false)) list.open = true; // what a reader should see is not folded away
    });
  }

  /** The recorded run of this chapter is played in place of a new one. */
  private mountTape(button: HTMLButtonElement, status: HTMLElement): void {
    status.textContent = this.t.recorded;
    button.textContent = this.t.playRecorded;
    button.disabled = false;
    button.addEventListener("click", () => {
      const first = this.facts.peek().get(this.ids[0] ?? "");
      this.following.value = true;
      this.app.playFrom(first ? first.seq - 1 : this.app.log.first);
    });
  }

  private async run(status: HTMLElement): Promise<void> {
    this.stop = new AbortController();
    batch(() => {
      this.facts.value = new Map();
      this.opened.value = new Set();
      this.all.value = false;
      this.running.value = true;
      this.following.value = true;
    });
    const claims: boolean[] = [];
    this.verdicts.value = [];
    const commands = new Commands(this.root, this.t);
    status.textContent = this.t.starting;
    status.classList.remove("bad");
    this.app.catchUp();
    // On a phone the stage is above the text: that is where it happens.
    if (narrow()) document.getElementById("stage")?.scrollIntoView({ behavior: calm() ? "auto" : "smooth" });
    const fail = (message: string) => {
      status.textContent = message;
      status.classList.add("bad");
      this.following.value = false;
      this.app.light(null);
    };
    let ended = false;
    try {
      await postLines(
        `/api/scenes/${this.data.id}/run`,
        { lang: this.app.lang },
        (m) => {
          switch (m.type) {
            case "reset":
              status.textContent = this.t.cleaning;
              break;
            case "start":
              status.textContent = this.t.running;
              if (typeof m.log === "string") this.factsOf = m.log;
              this.app.catchUp();
              break;
            case "command":
              commands.begin(String(m.step));
              break;
            case "exit":
              commands.end(Number(m.exit));
              break;
            case "output":
              if (typeof m.data === "string") commands.print(m.data);
              break;
            case "assert":
              claims.push(m.true === true);
              break;
            case "fact": {
              const fact = readFact(m);
              if (fact) this.facts.value = new Map(this.facts.value).set(fact.step, fact);
              break;
            }
            case "error":
              ended = true;
              fail([m.error, m.hint].filter((x) => typeof x === "string" && x !== "").join(" "));
              break;
            case "done":
              ended = true;
              this.verdicts.value = claims;
          }
        },
        this.stop.signal,
      );
      if (!ended) fail(this.t.broken);
    } catch (e) {
      if (isAbort(e)) fail(this.t.stopped);
      else fail(e instanceof Refused ? [e.message, e.hint].filter(Boolean).join(" ") : this.t.noServer);
    } finally {
      this.stop = undefined;
      this.running.value = false;
    }
  }
}

function byStep(facts: (Fact | undefined)[]): Map<string, Fact> {
  const map = new Map<string, Fact>();
  for (const f of facts) if (f) map.set(f.step, f);
  return map;
}

/** Whether the stage stands above the text and not beside it; see page.css. */
function narrow(): boolean {
  return matchMedia("(max-width: 720px)").matches;
}

function calm(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
