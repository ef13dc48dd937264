// A line of a person's own note glows while what it is about happens: the newest of
// the last few events that has a line naming both who acts in it and what is acted
// on. It is a function of the log and the playhead, and claims no more than that: whether
// the line is right, a reader sees on the stage.
import { effect } from "@preact/signals-core";
import type { App } from "../app.ts";
import { type Actor, actorOf } from "../model/actor.ts";
import type { KubeEvent } from "../wire/event.ts";

/** How many events back a line may still glow. */
const RECENT = 12;

/** The terms of the glossary that an event is about. */
export interface About {
  who: ReadonlySet<string>;
  what: ReadonlySet<string>;
}

const roles: Partial<Record<Actor["role"], string[]>> = {
  person: ["kubectl"],
  apiserver: ["apiserver"],
  etcd: ["etcd"],
  controllers: ["controller-manager", "controller"],
  scheduler: ["scheduler"],
  kubelet: ["kubelet", "node"],
  runtime: ["runtime"],
};

const resources: Record<string, string> = {
  pods: "pod",
  nodes: "node",
  replicasets: "replicaset",
  deployments: "deployment",
  daemonsets: "daemonset",
  statefulsets: "statefulset",
  jobs: "job",
  cronjobs: "cronjob",
  services: "service",
  namespaces: "namespace",
  events: "event",
  leases: "lease",
};

/** What a call to the container runtime is about, by the end of its name. */
const calls: [RegExp, string][] = [
  [/PodSandbox$/, "pod-sandbox"],
  [/Container$/, "container"],
  [/Image$/, "image"],
];

export function aboutOf(e: KubeEvent): About {
  const who = new Set<string>();
  for (const id of [e.from, e.to]) {
    if (!id) continue;
    const actor = actorOf(id);
    for (const term of roles[actor.role] ?? []) who.add(term);
    const loop = resources[`${actor.name.replace(/-controller$/, "")}s`];
    if (actor.role === "controllers" && loop) who.add(loop);
  }
  const what = new Set<string>();
  const add = (term: string | undefined) => term && what.add(term);
  add(resources[e.object?.resource ?? ""]);
  if (e.object?.subresource === "binding") add("binding");
  if (e.object?.subresource === "eviction") add("eviction");
  if (e.kind === "watch") add("watch");
  if (e.kind === "probe") add("probe");
  if (e.kind === "etcd" && e.revision) add("revision");
  if (e.kind === "cri") for (const [call, term] of calls) if (call.test(e.verb)) add(term);
  return { who, what };
}

/** Whether a line that has these terms tells of the event: of who acts, and of another thing. */
export function tells(terms: ReadonlySet<string>, about: About): boolean {
  const actors = [...terms].filter((t) => about.who.has(t));
  const things = [...terms].filter((t) => about.what.has(t));
  return actors.some((who) => things.some((what) => what !== who));
}

/** The newest event up to the playhead of which a line tells, and those lines. */
export function glowing(
  lines: readonly ReadonlySet<string>[],
  recent: readonly KubeEvent[],
): { event: KubeEvent; lines: number[] } | undefined {
  for (const event of [...recent].reverse()) {
    const about = aboutOf(event);
    const found = lines.flatMap((terms, i) => (tells(terms, about) ? [i] : []));
    if (found.length > 0) return { event, lines: found };
  }
  return undefined;
}

export function mountGlow(note: HTMLElement, app: App): void {
  const elements = [...note.querySelectorAll<HTMLElement>(".prose > p, .prose li, .prose blockquote, .prose tr")];
  const lines = elements.map(
    (el) => new Set([...el.querySelectorAll<HTMLElement>("[data-term]")].map((b) => b.dataset.term ?? "")),
  );
  effect(() => {
    const at = app.signals.playhead.value;
    const now = new Set(glowing(lines, app.log.range(Math.max(app.log.first, at - RECENT + 1), at))?.lines);
    for (const [i, el] of elements.entries()) el.toggleAttribute("data-glows", now.has(i));
  });
}
