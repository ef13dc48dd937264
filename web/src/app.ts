// App is what the parts beside the stage (chapter, console, panels) may use
// of it: look at the log, follow the playhead, move it, light a part of the
// picture. Nothing else of the stage is theirs.
import type { ReadonlySignal, Signal } from "@preact/signals-core";
import type { KubeEvent } from "./wire/event.ts";

export type Lang = "en" | "ko";

/** What the inspector shows: an event, an object of the cluster, or a part of the picture. */
export type Selection =
  | { type: "event"; seq: number }
  | { type: "object"; key: string; uid?: string }
  | { type: "part"; id: string };

/**
 * A part of the picture that a word of the text can light. Known words:
 * kubectl, kubestage, kube-apiserver, authn, authz, admission, validation,
 * storage, watch, etcd, kube-controller-manager, a controller's short name
 * ("replicaset-controller"), kube-scheduler, cloud-controller-manager, nodes,
 * kubelet, runtime, pods, and "node:NAME", "pod:NAMESPACE/NAME" for one of them.
 * Words without a place in the picture are ignored.
 */
export type Term = string;

export interface LogView {
  /** The log's ID; empty before the server's hello. */
  readonly id: string;
  readonly first: number;
  readonly last: number;
  get(seq: number): KubeEvent | undefined;
  /** Events with from <= seq <= to that are kept here, in order. */
  range(from: number, to: number): KubeEvent[];
}

export interface App {
  readonly lang: Lang;
  readonly signals: {
    /** The newest event that has happened for the viewer. 0 before the first. */
    readonly playhead: ReadonlySignal<number>;
    /** True while the view follows the cluster. */
    readonly live: ReadonlySignal<boolean>;
    readonly selection: Signal<Selection | null>;
    readonly lit: ReadonlySignal<Term | null>;
  };
  readonly log: LogView;
  /** Puts the playhead at an event and pauses there. */
  seek(seq: number): void;
  /** Plays from an event on. */
  playFrom(seq: number): void;
  /** Goes back to following the cluster. */
  catchUp(): void;
  light(term: Term | null): void;
  /** Shows an object, by its key, in a view of the log; what is read beside it stays. */
  look(view: "etcd" | "object", key: string): void;
  /** Calls fn for each event as it arrives, in log order; returns what ends that. */
  onEvent(fn: (e: KubeEvent) => void): () => void;
}

/** What chapter/chapter.ts and console/console.ts export. */
export type Mount = (root: HTMLElement, app: App) => void;

/** Whether this page may change the cluster: it is our own, and the reader its owner. */
export function mayAct(): boolean {
  const { source, watching } = document.body.dataset;
  return (source ?? "sandbox") === "sandbox" && watching === undefined;
}
