// A story is all that grew out of one root: a person's request, a component
// that started or failed, a link that was cut. The rules are those of the
// server (watch/story), which needs them for its own readers; one file of a
// real day, watch/testdata/day.stories.txt, holds both to the same answer.
import { type KubeEvent, objectKey } from "../wire/event.ts";
import { instant } from "../wire/instant.ts";
import { actorOf } from "./actor.ts";
import type { Lane } from "./lane.ts";

/** How many events of each sort a story has. */
export interface Counts {
  requests: number;
  writes: number;
  notifications: number;
  decisions: number;
  calls: number;
  objects: number;
}

export interface Story {
  root: number;
  /** Foreground events of the story, in log order, which is an order of causes: none comes before its cause. */
  events: number[];
  /** Exact names, as they come on stage. */
  actors: Set<string>;
  counts: Counts;
  from: number; // instants
  to: number;
}

/** So long after its last event a story is taken to be over (real milliseconds). */
const SETTLED = 5_000;
/** What comes so long after a story's last event is another story (real milliseconds). */
const CLOSED = 600_000;

interface Place {
  root: number;
  lane: Lane;
}

interface Tale extends Story {
  seen: Set<string>;
}

export class Stories {
  private places: Place[] = [];
  private stories = new Map<number, Tale>();
  /** The newest end of an event: the log's own clock. */
  private clock = 0;

  constructor(private first = 1) {}

  push(e: KubeEvent, lane: Lane): void {
    this.clock = Math.max(this.clock, instant(e.end) || 0);
    const place: Place = { root: heartbeats.has(lane) ? 0 : this.rootOf(e), lane };
    this.places.push(place);
    if (lane !== "foreground") return;
    let story = this.stories.get(place.root);
    if (!story || place.root === e.seq) {
      place.root = e.seq;
      story = begin(e);
      this.stories.set(e.seq, story);
    }
    grow(story, e);
  }

  private rootOf(e: KubeEvent): number {
    if (begins(e)) return e.seq;
    for (const c of e.causes ?? []) {
      const root = this.places[c.seq - this.first]?.root;
      if (!root) continue;
      const story = this.stories.get(root);
      if (story && this.clock - story.to > CLOSED && c.how !== "absence") continue;
      return root;
    }
    return e.seq;
  }

  /** Lets go of what lies before an event. A story is kept until its last event goes. */
  drop(before: number): void {
    this.places.splice(0, before - this.first);
    this.first = before;
    for (const [root, story] of this.stories) {
      story.events = story.events.filter((seq) => seq >= before);
      if (story.events.length === 0) this.stories.delete(root);
    }
  }

  /** All of them, the oldest first. */
  all(): Story[] {
    return [...this.stories.values()].sort((a, b) => a.root - b.root);
  }

  /** Whether the log has gone on for a while without another event of it. */
  settled(story: Story): boolean {
    return this.clock - story.to > SETTLED;
  }

  /** The story that begins with an event. */
  get(root: number): Story | undefined {
    return this.stories.get(root);
  }

  /** The story an event is in; undefined when it is in a lane beside all stories. */
  of(seq: number): Story | undefined {
    const place = this.places[seq - this.first];
    return place?.lane === "foreground" ? this.stories.get(place.root) : undefined;
  }
}

const heartbeats = new Set<Lane>(["leases", "nodeStatus", "setup"]);

/** Whether an event is a root whatever caused it: somebody from outside acted, or something failed. */
function begins(e: KubeEvent): boolean {
  switch (e.kind) {
    case "request":
      return fromOutside(e) || e.from === "kubestage";
    case "component":
      if (e.verb === "starting") return !(Number(e.detail?.restarts ?? 0) > 0 && !e.detail?.by);
      return !["ready", "backoff", "stopped", "thawed"].includes(e.verb);
    case "link":
      return e.verb !== "healed";
    default:
      return false;
  }
}

/** A person, a program or a workload; not the cluster's own machinery. */
function fromOutside(e: KubeEvent): boolean {
  const { role } = actorOf(e.from);
  if (e.from.startsWith("system:serviceaccount:kube-system:")) {
    const agent = typeof e.detail?.userAgent === "string" ? e.detail.userAgent : "";
    return agent !== "" && !/^(kube|cloud)-controller-manager\//.test(agent);
  }
  return role === "workload" || (role === "person" && !e.from.startsWith("system:"));
}

function begin(e: KubeEvent): Tale {
  return {
    root: e.seq,
    events: [],
    actors: new Set(),
    counts: { requests: 0, writes: 0, notifications: 0, decisions: 0, calls: 0, objects: 0 },
    from: instant(e.start),
    to: instant(e.end),
    seen: new Set(),
  };
}

const countOf: Record<string, keyof Counts> = {
  request: "requests",
  etcd: "writes",
  watch: "notifications",
  schedule: "decisions",
  cri: "calls",
};

function grow(story: Tale, e: KubeEvent): void {
  story.events.push(e.seq);
  story.actors.add(e.from);
  if (e.to) story.actors.add(e.to);
  story.to = Math.max(story.to, instant(e.end));
  const count = countOf[e.kind];
  if (count) story.counts[count]++;
  if (e.kind !== "etcd" || !e.object?.name) return;
  const name = e.object.uid || objectKey(e.object);
  if (story.seen.has(name)) return;
  story.seen.add(name);
  story.counts.objects++;
}
