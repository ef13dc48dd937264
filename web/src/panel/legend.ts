// The legend: every shape, colour and mark of the stage with its meaning.
import type { Lang } from "../app.ts";
import { type Word, word } from "../i18n/ui.ts";
import type { PodPhase } from "../model/pod.ts";
import { linkMark } from "../stage/health.ts";
import { Drawing, h, type VNode } from "../stage/node.ts";
import { phaseWord, podMark } from "../stage/pods.ts";
import { tokenShape } from "../stage/tokenmarks.ts";
import type { Deed, TokenShape } from "../stage/tokens.ts";
import { type Command, keyNames } from "./commands.ts";
import { htmlDrawing } from "./html.ts";

const shapes: [TokenShape, Word][] = [
  ["request", "request"],
  ["response", "response"],
  ["watch", "notification"],
  ["write", "write"],
  ["cri", "cri"],
  ["decision", "decision"],
];
const deeds: [Deed, Word][] = [
  ["create", "creates"],
  ["update", "updates"],
  ["delete", "deletes"],
  ["read", "looks"],
  ["decide", "decides"],
];
const phases: PodPhase[] = [
  "pending",
  "creating",
  "running",
  "ready",
  "crashloop",
  "image",
  "terminating",
  "succeeded",
  "failed",
];
const standIns: Word[] = ["standInReal", "standInPrograms", "standInPackets", "standInFigures", "standInAttached"];
export function legend(root: HTMLElement, lang: Lang, commands: readonly Command[]): void {
  const pictures: [string, VNode][] = [];
  const item = (id: string, mark: VNode, says: string): VNode => {
    pictures.push([id, mark]);
    return h("li", { key: id }, h("span", { class: "legend-mark", "data-mark": id }), h("span", null, says));
  };
  htmlDrawing(root).draw(
    h("h3", null, word(lang, "shapes")),
    h(
      "ul",
      null,
      shapes.map(([s, w]) => item(s, tokenShape(s, s === "decision" ? "decide" : "read", false, false), word(lang, w))),
    ),
    h("h3", null, word(lang, "colours")),
    h(
      "ul",
      null,
      deeds.map(([d, w]) => item(`deed ${d}`, tokenShape("request", d, false, false), word(lang, w))),
    ),
    h("h3", null, word(lang, "marks")),
    h(
      "ul",
      null,
      item("inferred", tokenShape("watch", "update", true, false), word(lang, "inferredMark")),
      item("refused", tokenShape("response", "delete", false, true), word(lang, "refusedMark")),
      item(
        "observed",
        h(
          "g",
          { class: "gate is-observed" },
          h("rect", { x: -11, y: -9, width: 22, height: 18, rx: 4, class: "gate-box" }),
        ),
        word(lang, "observedMark"),
      ),
      item(
        "implied",
        h(
          "g",
          { class: "gate is-implied" },
          h("rect", { x: -11, y: -9, width: 22, height: 18, rx: 4, class: "gate-box" }),
        ),
        word(lang, "impliedMark"),
      ),
      item("cut", linkMark("cut", { x: 0, y: 0 }), word(lang, "cutMark")),
      item("delayed", linkMark("delayed", { x: 0, y: 0 }), word(lang, "delayedMark")),
      item("frozen", h("path", { d: "M-3 -5v10m6 -10v10", class: "health health-frozen" }), word(lang, "frozenMark")),
    ),
    h("h3", null, word(lang, "podStates")),
    h(
      "ul",
      null,
      phases.map((p) =>
        item(
          `pod ${p}`,
          h(
            "g",
            { class: `pod pod-${p}` },
            h("rect", { x: -12, y: -12, width: 24, height: 24, rx: 5, class: "pod-box" }),
            podMark(p, 0, 0, 6),
          ),
          phaseWord({ phase: p, says: "CrashLoopBackOff" }),
        ),
      ),
    ),
    h("h3", { id: "stand-ins" }, word(lang, "standIns")),
    h(
      "ul",
      { class: "legend-words" },
      standIns.map((w) => h("li", null, word(lang, w))),
    ),
    h("h3", null, word(lang, "keys")),
    h(
      "ul",
      { class: "legend-keys" },
      h("li", null, h("kbd", null, "Ctrl K"), h("span", null, word(lang, "doPalette"))),
      commands
        .filter((c) => c.keys?.length)
        .map((c) => h("li", null, h("kbd", null, keyNames(c)), h("span", null, word(lang, c.says)))),
    ),
  );
  for (const [id, mark] of pictures) {
    const at = root.querySelector(`[data-mark="${id}"]`);
    if (!at) continue;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "-15 -15 30 30");
    svg.setAttribute("width", "30");
    svg.setAttribute("height", "30");
    svg.setAttribute("aria-hidden", "true");
    at.append(svg);
    new Drawing(svg).draw(mark);
  }
}
