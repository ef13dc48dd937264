// What is drawn of a node's pods is the very same value as before while
// neither they nor what is said of them changed; drawing then passes it over.
import type { PlacedPod } from "../model/state.ts";
import type { VNode } from "./node.ts";

interface Drawn {
  pods: readonly PlacedPod[];
  key: string;
  node: VNode;
}

const before = new Map<string, Drawn>();

/** place names what is drawn; key holds all it depends on besides the pods. */
export function sameAsBefore(place: string, pods: readonly PlacedPod[], key: string, draw: () => VNode): VNode {
  const was = before.get(place);
  if (was?.key === key && was.pods === pods) return was.node;
  const node = draw();
  if (before.size > 1000) before.clear();
  before.set(place, { pods, key, node });
  return node;
}
