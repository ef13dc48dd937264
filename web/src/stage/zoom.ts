// What can be opened, and how it is named in the address (open=): a
// component, whose inside then takes the place of the picture, or a node or
// the pods of one state in it, which take the place of the other nodes.
import type { Word } from "../i18n/ui.ts";
import type { PodPhase } from "../model/pod.ts";
import type { ClusterState } from "../model/state.ts";

export const components = ["kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler"] as const;
export type Zoom = { what: "inside"; id: string; node?: string } | { what: "node"; node: string; phase?: PodPhase };

/** Null for words that name nothing. */
export function readZoom(word: string | null): Zoom | null {
  if (!word) return null;
  if ((components as readonly string[]).includes(word)) return { what: "inside", id: word };
  const [kind, ...rest] = word.split(":");
  const name = rest.join(":");
  if (!name) return null;
  if (kind === "kubelet" || kind === "runtime") return { what: "inside", id: kind, node: name };
  if (kind !== "node") return null;
  const [node, phase] = name.split("/");
  return node ? { what: "node", node, phase: phase as PodPhase | undefined } : null;
}

/** What the keys from 1 on open, in words. */
export const zooms = [
  "zoomApiserver",
  "zoomEtcd",
  "zoomControllers",
  "zoomScheduler",
  "zoomKubelet",
  "zoomRuntime",
  "zoomNode",
] as const satisfies readonly Word[];

/** What the i-th of them is now: things of a node are those of the node where something happens, or of the first. */
export function zoomOf(i: number, s: ClusterState, here: string | undefined): string | null {
  const component = components[i];
  if (component) return component;
  const kind = { 4: "kubelet", 5: "runtime", 6: "node" }[i];
  const first = [...s.nodes.values()].reduce<{ name: string; slot: number } | null>(
    (a, n) => (a && a.slot < n.slot ? a : n),
    null,
  );
  const node = here && s.nodes.has(here) ? here : first?.name;
  return kind && node ? `${kind}:${node}` : null;
}
