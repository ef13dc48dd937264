import { describe, expect, test } from "vitest";
import { readPlace, writePlace } from "../address.ts";
import { Ledger } from "../model/ledger.ts";
import { fitting } from "../panel/palette.ts";
import { normalSpeed } from "../player/display.ts";
import { material } from "../test/cluster.ts";
import { recorded } from "../test/recorded.ts";
import { podsOf } from "./compare.ts";
import { mermaid, sequenceOf } from "./sequence.ts";
import { standalone } from "./sequencedrawing.ts";

const { log, stories } = material(recorded("day"));
const event = (seq: number) => log.get(seq);
/** kubectl create deployment web --replicas=2 */
const created = stories.all().find((s) => log.get(s.root)?.object?.resource === "deployments")!;

describe("the sequence of a real story", () => {
  const whole = sequenceOf("en", created, Number.POSITIVE_INFINITY, event);

  test("has a row an event, in the order of the log", () => {
    expect(whole.rows.map((r) => r.seq)).toEqual(created.events);
    for (const r of whole.rows) {
      const e = log.get(r.seq)!;
      expect(r.from === r.to, e.kind).toBe(!e.to);
      expect(r.label).not.toMatch(/undefined|^\s*$/);
    }
  });

  test("is the same however far the playhead is, as far as that", () => {
    for (const until of [created.root, created.events[10]!, created.events[60]!]) {
      const part = sequenceOf("en", created, until, event);
      expect(part.rows).toEqual(whole.rows.slice(0, part.rows.length));
      expect(part.lines).toEqual(whole.lines.slice(0, part.lines.length));
    }
  });

  test("has one line for each actor, in the order of appearance", () => {
    const names = whole.lines.map((l) => l.name);
    expect(names.slice(0, 3)).toEqual(["kubectl", "kube-apiserver", "etcd"]);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain("replicaset controller");
    expect(names).toContain("kubelet node-1");
  });

  test("is text for Mermaid", () => {
    const text = mermaid(whole, "kubectl: create deployment/web");
    expect(text).toMatch(/^---\ntitle: ".*"\n---\nsequenceDiagram\n {2}participant a0 as kubectl\n/);
    expect(text.match(/^ {2}a\d+-.*: \S/gm)).toHaveLength(whole.rows.length);
    expect(text).not.toMatch(/[;#]/);
  });

  test("is a drawing that stands alone", () => {
    const text = standalone(whole, "a & b", "en", () => "#123456");
    expect(text).toContain('<svg xmlns="http://www.w3.org/2000/svg"');
    expect(text).toContain("a &amp; b");
    expect(text.match(/class="seq-row/g)).toHaveLength(whole.rows.length);
    expect(text).not.toContain("var(");
  });
});

test("what a story did to the number of Pods", () => {
  const ledger = new Ledger(log);
  const before = (e: { seq: number; detail?: Record<string, unknown> }) =>
    ledger.writes(String(e.detail?.key), e.seq - 1).at(-1);
  expect(podsOf(created, event, before)).toEqual({ made: 2, gone: 0, most: 2, leastReady: 0 });
  const deleted = stories
    .all()
    .find((s) => log.get(s.root)?.verb === "delete" && log.get(s.root)?.object?.resource === "pods")!;
  // The replacement is made while the old one is still on its way out, and no longer counts.
  expect(podsOf(deleted, event, before)).toEqual({ made: 1, gone: 1, most: 0, leastReady: -1 });
});

describe("an address", () => {
  const usual = {
    at: null,
    log: "",
    view: "stage",
    story: 0,
    compared: 0,
    focus: null,
    open: "",
    speed: normalSpeed,
    theme: "",
  } as const;

  test("of the usual state is bare", () => {
    expect(writePlace(usual, "")).toEqual({ search: "", hash: "" });
    expect(readPlace("", "")).toEqual(usual);
  });

  test("leads back to its state, and leaves alone what is not its own", () => {
    const place = {
      at: 42,
      log: "ABC",
      view: "etcd",
      story: 7,
      compared: 9,
      focus: { type: "object", key: "apps/deployments/default/web" },
      open: "kubelet:node-1",
      speed: 1 / 100,
      theme: "dark",
    } as const;
    const { search, hash } = writePlace(place, "?recording=r1&view=object");
    expect(search).toContain("recording=r1");
    expect(hash).toBe("#at=42&log=ABC");
    expect(readPlace(search, hash)).toEqual(place);
    for (const focus of [{ type: "event", seq: 3 } as const, { type: "part", id: "kubelet:node-1" } as const]) {
      const there = writePlace({ ...usual, focus }, "");
      expect(readPlace(there.search, there.hash).focus).toEqual(focus);
    }
  });

  test("that makes no sense is read as the usual", () => {
    expect(readPlace("?view=evil&story=x&speed=9&focus=event:<b>&open=teapot", "#at=zzz")).toEqual(usual);
  });
});

test("the palette finds what has all the words, and first what begins with them", () => {
  const run = () => {};
  const choices = ["Copy link", "pods/default/web-1", "Scheduler", "kubectl: create deployment/web"].map((title) => ({
    group: "groupObjects" as const,
    title,
    run,
  }));
  const found = (typed: string) => fitting(choices, typed, () => "thing").map((c) => c.title);
  expect(found("")).toHaveLength(4);
  expect(found("web")).toEqual(["pods/default/web-1", "kubectl: create deployment/web"]);
  expect(found("web create")).toEqual(["kubectl: create deployment/web"]);
  expect(found("sch")[0]).toBe("Scheduler");
  expect(found("nothing")).toEqual([]);
});
