/// <reference types="node" />
// Logs of real clusters, as watch/testdata keeps them: for tests that must
// hold for what really happens.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { KubeEvent } from "../wire/event.ts";

const folder = new URL("../../../watch/testdata/", import.meta.url);

/** The whole log of a day ("day"), or what is worth telling of a night ("night"), whose numbers have holes. */
export function recorded(name: "day" | "night"): KubeEvent[] {
  return gunzipSync(readFileSync(new URL(`${name}.jsonl.gz`, folder)))
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as KubeEvent);
}

export function recordedText(name: string): string {
  return readFileSync(new URL(name, folder), "utf8");
}
