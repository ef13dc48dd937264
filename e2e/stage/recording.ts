// The recording that pictures are compared and measured with: a class at work,
// in a cluster that runs 290 pods already. Someone creates, scales and rolls
// out a Deployment; an image that does not exist, a pod too large for any node,
// a Job, a crash, a cordoned node, a pod with probes, a request that is
// refused; then 50 pods go and come again. Recorded from a real sandbox. To
// keep it under a mebibyte, the spans of those 290 pods' requests and of quiet
// ones, and the Events about those pods, were left out.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { KubeEvent } from "../../web/src/wire/event.ts";

export const file = fileURLToPath(new URL("../bench/testdata/class.kubestage", import.meta.url));

export function events(): KubeEvent[] {
  const lines = gunzipSync(readFileSync(file)).toString("utf8").trim().split("\n");
  return lines.slice(1, -1).map((line) => JSON.parse(line) as KubeEvent);
}
