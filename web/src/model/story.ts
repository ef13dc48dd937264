// A story is what grew out of one root: a person's request, a component that
// started, a container that exited. An event belongs to the story of its
// nearest cause; where no cause is known, to the story that last touched the
// same object, which is weaker and is never shown as a cause.
import { type KubeEvent, objectKey } from "../wire/event.ts";
import { instant } from "../wire/instant.ts";
import { actorOf, placeOf } from "./actor.ts";
import type { Lane } from "./lane.ts";

export interface Story {
  root: number;
  /** Foreground events of the story, in log order. */
  events: number[];
  actors: Set<string>;
  from: number; // instants
  to: number;
}

const FRESH = 30_000; // an object's last story stays its story for this long, in real milliseconds

export class Stories {
  private roots: number[] = [];
  private stories = new Map<number, Story>();
  private touched = new Map<string, { root: number; when: number }>();

  constructor(private first = 1) {}

  push(e: KubeEvent, lane: Lane): void {
    const when = instant(e.end);
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
    if (e.object?.name) this.touched.set(objectKey(e.object), { root, when });
  }

  private findRoot(e: KubeEvent, lane: Lane, when: number): number {
    const person = e.kind === "request" && ["person", "kubestage"].includes(actorOf(e.from).role);
    if (person) return e.seq; // whoever asks from outside begins a story
    for (const c of e.causes ?? []) {
      if (c.how === "process") continue;
      const root = this.roots[c.seq - this.first];
      if (root !== undefined) return root;
    }
    if (lane === "foreground" && e.object?.name && e.kind !== "component") {
      const t = this.touched.get(objectKey(e.object));
      if (t && when - t.when < FRESH) return t.root;
    }
    return e.seq;
  }

  of(seq: number): Story | undefined {
    const root = this.roots[seq - this.first];
    return root === undefined ? undefined : this.stories.get(root);
  }
}
