import { describe, expect, it } from "vitest";
import { parseLine } from "../wire/ask.ts";
import { CommandHistory } from "./history.ts";
import { lineCount, readsStdin, Screen } from "./screen.ts";
import { lineCutter } from "./stream.ts";

describe("lines of an answer", () => {
  it("are cut wherever the pieces end", () => {
    const cut = lineCutter();
    expect(cut('{"a":')).toEqual([]);
    expect(cut('1}\n{"b":2}\n{"c"')).toEqual(['{"a":1}', '{"b":2}']);
    expect(cut(":3}\n")).toEqual(['{"c":3}']);
  });
  it("that are not an object are left out", () => {
    expect(parseLine('{"exit":0}')).toEqual({ exit: 0 });
    for (const bad of ["", "  ", "{", "[1]", "null", "7"]) expect(parseLine(bad)).toBeUndefined();
  });
});

describe("history", () => {
  it("goes up and down and gives back what was being typed", () => {
    const h = new CommandHistory(["a", "b"]);
    expect(h.up("dra")).toBe("b");
    expect(h.up("b")).toBe("a");
    expect(h.up("a")).toBeUndefined();
    expect(h.down()).toBe("b");
    expect(h.down()).toBe("dra");
    expect(h.down()).toBeUndefined();
  });
  it("keeps a repeated command once and a bounded number", () => {
    const h = new CommandHistory([], 2);
    for (const line of ["a", "a", " ", "b", "c"]) h.add(line);
    expect([h.up(""), h.up("c"), h.up("b")]).toEqual(["c", "b", undefined]);
  });
});

describe("screen", () => {
  it("continues the last piece of the same stream", () => {
    const s = new Screen();
    s.add("command", "$ kubectl get pods\n");
    s.add("stdout", "NA");
    s.add("stdout", "ME\n");
    s.add("stderr", "warning\n");
    expect(s.pieces).toEqual([
      { kind: "command", text: "$ kubectl get pods\n" },
      { kind: "stdout", text: "NAME\n" },
      { kind: "stderr", text: "warning\n" },
    ]);
  });
  it("forgets the oldest beyond its limit and says how many", () => {
    const s = new Screen(100);
    let gone = 0;
    for (let i = 0; i < 30; i++) gone += s.add("stdout", "0123456789");
    expect(gone).toBeGreaterThan(0);
    expect(s.pieces.reduce((n, p) => n + p.text.length, 0)).toBeLessThanOrEqual(100);
  });
  it("counts lines as a person does", () => {
    expect([lineCount(""), lineCount("\n"), lineCount("a"), lineCount("a\nb\n")]).toEqual([0, 0, 1, 2]);
  });
});

describe("a command that reads the editor", () => {
  it.each([
    ["kubectl apply -f -", true],
    ["kubectl apply -f - --dry-run=server", true],
    ["kubectl create --filename=-", true],
    ["kubectl create --filename -", true],
    ["kubectl apply -f-", true],
    ["kubectl get pods -f", false],
    ["kubectl apply -f file.yaml", false],
    ["kubectl logs web-5f -f", false],
    ["kubectl get pods", false],
  ])("%s → %s", (command, want) => expect(readsStdin(command)).toBe(want));
});
