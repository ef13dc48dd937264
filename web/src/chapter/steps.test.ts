import { describe, expect, it } from "vitest";
import { isCommand } from "./commands.ts";
import { captured, elapsed, type Fact, fill, readFact, stepStates } from "./steps.ts";

const ids = ["request", "stored", "told", "chosen"];
const fact = (step: string, seq: number, values: Record<string, string> = {}): Fact => ({
  step,
  seq,
  start: new Date(seq * 10 - 5).toISOString(),
  at: new Date(seq * 10).toISOString(),
  values,
  answer: "",
});
const facts = new Map(["request", "stored", "chosen"].map((id, i) => [id, fact(id, 100 + i)]));
const states = (playhead: number, running = false, of = facts) =>
  [...stepStates(ids, of, playhead, running).values()].join(" ");

describe("steps follow the playhead", () => {
  it("nothing has happened before a run", () => {
    expect(states(50, false, new Map())).toBe("waiting waiting waiting waiting");
    expect(states(50)).toBe("waiting waiting waiting waiting");
  });
  it("the first step is awaited as soon as a run begins", () => {
    expect(states(50, true, new Map())).toBe("current waiting waiting waiting");
  });
  it("a step is done when its fact has happened for the viewer", () => {
    expect(states(99, true)).toBe("current waiting waiting waiting");
    expect(states(100)).toBe("done current waiting waiting");
    expect(states(101)).toBe("done done current waiting");
  });
  it("a fact may come before the one of an earlier step", () => {
    expect(states(102)).toBe("done done current done");
  });
  it("scrubbing back undoes steps", () => {
    const there = states(101);
    expect(states(102)).not.toBe(there);
    expect(states(101)).toBe(there);
  });
});

describe("words from the log", () => {
  it("fill their places", () => {
    const values = captured([fact("request", 1, { r1: "41" }), fact("chosen", 2, { node: "node-2" })]);
    expect(fill("{r1} → {node} ({missing})", values)).toBe("41 → node-2 (…)");
  });
  it("are put in once, not searched again", () => {
    expect(fill("{a}", { a: "{b}", b: "no" })).toBe("{b}");
  });
});

describe("times", () => {
  it("are the cluster's own", () => {
    expect(Math.round(elapsed(fact("request", 100), fact("stored", 104)))).toBe(45);
    expect(elapsed(fact("a", 5), fact("b", 3))).toBe(0);
  });
});

describe("a fact of the server", () => {
  it("is read, and nothing else is", () => {
    expect(
      readFact({
        type: "fact",
        step: "told",
        seq: 7,
        start: "2026-11-21T02:59:59Z",
        at: "2026-11-21T03:00:00Z",
        values: { r1: "5", x: 1 },
      }),
    ).toEqual({
      step: "told",
      seq: 7,
      start: "2026-11-21T02:59:59Z",
      at: "2026-11-21T03:00:00Z",
      values: { r1: "5" },
      answer: "",
    });
    expect(readFact({ step: "told" })).toBeUndefined();
    expect(readFact({ type: "done" })).toBeUndefined();
  });
});

describe("a command of the text", () => {
  it("is whole", () => {
    expect(isCommand("kubectl get pod hello -o yaml")).toBe(true);
    for (const no of ["kubectl", "kubectl logs", "kubectl run", "exec", "spec.nodeName"])
      expect(isCommand(no)).toBe(false);
  });
});
