// A story is what grew out of one root: a person's request, a component that
// started, a container that exited. An event belongs to the newest story among
// those of its causes and of those that lately wrote its object or the
// object's owners. The latter is weaker than a cause: it gathers, and is never
// shown as one.
import { type KubeEvent, objectKey } from "../wire/event.ts";
import { instant } from "../wire/instant.ts";
import { actorOf, placeOf } from "./actor.ts";
import { isRead, type Lane } from "./lane.ts";

export interface Story {
  root: number;
  /** Foreground events of the story, in log order. */
  events: number[];
  actors: Set<string>;
  from: number; // instants
  to: number;
}

const FRESH = 60_000; // an object's last story stays its story for this long, in real milliseconds

interface Touch {
  root: number;
  when: number;
}

export class Stories {
  private roots: number[] = [];
  private stories = new Map<number, Story>();
  /** Who wrote an object last, by the object's uid or, where that is not known, its key. */
  private touched = new Map<string, Touch>();
  private owners = new Map<string, string[]>();

  constructor(private first = 1) {}

  push(e: KubeEvent, lane: Lane): void {
    const when = instant(e.end);
    this.learnOwners(e);
    const root = this.findRoot(e, lane, when);
    this.roots.push(root);
    if (lane !== "foreground") return;
    let story = this.stories.get(root);
    if (!story) {
      story = { root, events: [], actors: new Set(), from: instant(e.start), to: when };
      this.stories.set(root, story);
    }
    story.events.push(e.seq);
    story.actors.add(placeOf(actorOf(e.from)));
    if (e.to) story.actors.add(placeOf(actorOf(e.to)));
    story.to = Math.max(story.to, when);
    if (writes(e)) for (const name of namesOf(e)) this.touched.set(name, { root, when });
  }

  /** Lets go of what lies before an event, when nothing after it belongs there. */
  drop(before: number): void {
    this.roots.splice(0, before - this.first);
    this.first = before;
    for (const [root, story] of this.stories) {
      story.events = story.events.filter((seq) => seq >= before);
      if (story.events.length === 0) this.stories.delete(root);
    }
    for (const [name, t] of this.touched) if (!this.stories.has(t.root)) this.touched.delete(name);
  }

  private learnOwners(e: KubeEvent): void {
    const uid = e.object?.uid;
    const value = e.detail?.value as { metadata?: { ownerReferences?: { uid: string }[] } } | undefined;
    const refs = value?.metadata?.ownerReferences;
    if (uid && refs && !this.owners.has(uid)) {
      this.owners.set(
        uid,
        refs.map((r) => r.uid),
      );
    }
  }

  private findRoot(e: KubeEvent, lane: Lane, when: number): number {
    const person = e.kind === "request" && ["person", "kubestage"].includes(actorOf(e.from).role);
    if (person || e.kind === "component" || e.kind === "link") return e.seq; // whoever asks from outside begins a story
    let newest = 0;
    for (const c of e.causes ?? []) newest = Math.max(newest, this.roots[c.seq - this.first] ?? 0);
    if (lane === "foreground") newest = Math.max(newest, this.lately(e, when));
    return newest || e.seq;
  }

  /** The newest story that lately wrote the event's object or one that owns it. */
  private lately(e: KubeEvent, when: number): number {
    let newest = 0;
    const seen = new Set<string>();
    const ask = [...namesOf(e)];
    for (let name = ask.pop(); name !== undefined; name = ask.pop()) {
      if (seen.has(name)) continue;
      seen.add(name);
      const t = this.touched.get(name);
      if (t && when - t.when < FRESH) newest = Math.max(newest, t.root);
      ask.push(...(this.owners.get(name) ?? []));
    }
    return newest;
  }

  /** All of them, the oldest first. */
  all(): Story[] {
    return [...this.stories.values()].sort((a, b) => a.root - b.root);
  }

  of(seq: number): Story | undefined {
    const root = this.roots[seq - this.first];
    return root === undefined ? undefined : this.stories.get(root);
  }
}

function writes(e: KubeEvent): boolean {
  return (e.kind === "request" && !isRead(e) && (e.code ?? 0) < 400) || e.kind === "etcd";
}

function* namesOf(e: KubeEvent): Generator<string> {
  if (!e.object?.name) return;
  yield objectKey(e.object);
  if (e.object.uid) yield e.object.uid;
}
