// What the stage draws of a fixed recording, as text. When a change is meant,
// `npx vitest run e2e/stage -u` writes the pictures anew, and they are
// reviewed like code.
import { expect, test } from "vitest";
import { compose, type Looking, whole } from "../../web/src/stage/compose.ts";
import { toText } from "../../web/src/stage/node.ts";
import { material, plain } from "../../web/src/test/cluster.ts";
import { events } from "./recording.ts";

const all = events();
const m = material(all);

function at(seq: number, look: Partial<Looking> = {}): string {
  return fold(toText(whole(compose(m, m.timeline.atOf(seq), { ...plain, ...look }))));
}

/** The 290 pods that were there before are told by state, so that a picture can be read. */
function fold(svg: string): string {
  const counts = new Map<string, number>();
  const rest = svg.replace(
    /^ *<g class="pod (pod-\w+)[^"]*" data-object="pods\/default\/crowd-[\s\S]*?\n {3,5}<\/g>\n/gm,
    (_, state: string) => {
      counts.set(state, (counts.get(state) ?? 0) + 1);
      return "";
    },
  );
  return `${rest}\n<!-- ${[...counts].map(([state, n]) => `${n} ${state}`).join(", ")} -->\n`;
}

const find = (what: string, test: (e: (typeof all)[number]) => boolean): number => {
  const e = all.find(test);
  if (!e) throw new Error(`the recording has no ${what}`);
  return e.seq;
};
const moments: [string, number, Partial<Looking>][] = [
  ["create", find("creation", (e) => e.kind === "request" && e.verb === "create" && e.object?.name === "web"), {}],
  ["decision", find("decision", (e) => e.kind === "schedule" && e.object?.name === "big"), {}],
  ["forbidden", find("refusal", (e) => e.code === 403), {}],
  ["call", find("call", (e) => e.kind === "cri" && e.verb === "StartContainer" && e.object?.name === "probe"), {}],
  ["write", find("write", (e) => e.kind === "etcd" && e.verb === "put" && e.object?.name === "crash"), { lang: "ko" }],
  ["notification", find("notification", (e) => e.kind === "watch" && e.object?.name === "probe"), { shape: "tall" }],
  ["end", all.length, { far: true }],
];

test.each(moments)("the picture of: %s", async (name, seq, look) => {
  await expect(at(seq, look)).toMatchFileSnapshot(`pictures/${name}.svg`);
});

const insides: [string, string][] = [
  ["create", "kube-apiserver"],
  ["forbidden", "kube-apiserver"],
  ["write", "etcd"],
  ["write", "kube-controller-manager"],
  ["decision", "kube-scheduler"],
  ["call", "kubelet:node-1"],
  ["call", "runtime:node-1"],
  ["call", "node:node-1"],
];
test.each(insides)("at %s, the inside of %s", async (moment, zoom) => {
  const seq = moments.find(([name]) => name === moment)![1];
  await expect(at(seq, { zoom })).toMatchFileSnapshot(`pictures/${moment}-${zoom.replace(":", "-")}.svg`);
});

test("is the same on the way back", () => {
  const seqs = moments.map(([, seq]) => seq);
  const forth = seqs.map((s) => at(s));
  expect(
    [...seqs]
      .reverse()
      .map((s) => at(s))
      .reverse(),
  ).toEqual(forth);
});
