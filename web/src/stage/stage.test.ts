import { describe, expect, test } from "vitest";
import { material, plain } from "../test/cluster.ts";
import { boot, createDeployment, everything, learner, Tape } from "../test/tape.ts";
import type { KubeEvent } from "../wire/event.ts";
import { compose, whole } from "./compose.ts";
import { type Geometry, geometry, type Shape } from "./geometry.ts";
import { toText } from "./node.ts";
import { tileAt, tileGrid } from "./tiles.ts";
import { scatter, type Token, thin, tokensAt } from "./tokens.ts";
import { type Box, type Point, Way } from "./way.ts";
import { readZoom } from "./zoom.ts";

const m = material(everything().events);
const at = (t: number, look = plain) => toText(whole(compose(m, t, look)));
const moment = (seq: number, look = plain) => at(m.timeline.atOf(seq), look);

describe("the drawing", () => {
  test("is the same whether one comes from before or from behind", () => {
    const times = Array.from({ length: 40 }, (_, i) => (m.timeline.rest * i) / 40);
    const forward = times.map((t) => at(t));
    const back = [...times]
      .reverse()
      .map((t) => at(t))
      .reverse();
    expect(back).toEqual(forward);
    for (const i of [30, 3, 39, 17]) expect(at(times[i]!)).toBe(forward[i]);
  });

  test("draws every foreground event on the stage, in the log's order", () => {
    const seen = new Set<number>();
    for (let t = 0; t <= m.timeline.rest; t += 100) {
      const svg = compose(m, t, plain)
        .tokens()
        .map((n) => toText(n))
        .join("");
      for (const [, seq] of svg.matchAll(/data-token="(\d+)"/g)) seen.add(Number(seq));
    }
    const drawable = m.timeline.foreground.filter((s) => !["component", "link", "source"].includes(m.log.get(s)!.kind));
    expect([...seen].sort((a, b) => a - b)).toEqual(drawable);
  });

  test("shows a pod from waiting to ready", () => {
    const puts = m.log.range(1, m.log.last).filter((e) => e.kind === "etcd" && e.object?.resource === "pods");
    const uid = puts[0]!.object!.uid;
    const looks = puts
      .filter((e) => e.object?.uid === uid)
      .map((e) => new RegExp(`class="pod pod-(\\w+)[^"]*"[^>]*data-uid="${uid}"`).exec(moment(e.seq))?.[1]);
    expect(looks).toEqual(["pending", "creating", "creating", "ready", "terminating", undefined]);
  });

  test("a cut link is a broken line, and a frozen component says so", () => {
    const t = boot(new Tape());
    t.link("kubelet:node-2", "cut");
    t.component("kube-scheduler", "frozen", { by: "learner" });
    const seq = t.events.length;
    t.link("kubelet:node-2", "healed");
    t.component("kube-scheduler", "thawed", { by: "learner" });
    const m = material(t.events);
    const at = (seq: number) => toText(whole(compose(m, m.timeline.atOf(seq), plain)));
    expect(at(seq)).toContain('class="line line-ask is-cut"');
    expect(at(seq)).toContain('class="link-mark is-cut"');
    expect(at(seq)).toContain("health-frozen");
    expect(at(seq)).toMatch(/aria-label="kube-scheduler, frozen/);
    expect(at(seq)).toMatch(/aria-label="kubelet ready, cut off"/);
    expect(at(t.events.length)).not.toMatch(/is-cut|health-frozen/);
  });

  test("a refused request turns round at its gate", () => {
    const forbidden = m.log.range(1, m.log.last).find((e) => e.code === 403)!;
    expect(moment(forbidden.seq)).toContain("gate gate-authz is-refused");
    expect(moment(forbidden.seq)).toContain("gate gate-admission is-unreached");
    const l = m.timeline;
    const scene = {
      geometry: geometry("wide", 3),
      state: m.history.at(forbidden.seq),
      timeline: l,
      still: false,
      event: (s: number) => m.log.get(s),
    };
    const xs: number[] = [];
    for (let t = l.startOf(forbidden.seq) + 1; t < l.endOf(forbidden.seq); t += 40) {
      const k = tokensAt(scene, t).tokens.find((x) => x.seq === forbidden.seq)!;
      xs.push(k.x);
      if (t > l.atOf(forbidden.seq) + 1) expect(k).toMatchObject({ shape: "response", refused: true });
    }
    const gate = scene.geometry.gates[1]!;
    expect(Math.max(...xs)).toBeLessThanOrEqual(gate.x + gate.w / 2 + 0.1);
    expect(xs[xs.length - 1]).toBeLessThan(scene.geometry.hall.x);
  });

  test("an accepted write passes all gates, observed or implied", () => {
    const create = m.log.range(1, m.log.last).find((e) => e.from === learner && e.verb === "create")!;
    const svg = moment(create.seq);
    for (const g of ["authn", "authz"]) expect(svg).toContain(`gate-${g} is-observed`);
    for (const g of ["admission", "validation", "storage"]) expect(svg).toContain(`gate-${g} is-implied`);
  });

  test("the scheduler's funnel says what the scheduler said", () => {
    const cycle = m.log.range(1, m.log.last).find((e) => e.kind === "schedule")!;
    const svg = moment(cycle.seq);
    expect(svg).toContain("✕ Insufficient cpu");
    expect(svg).toContain(">585<");
    expect(svg).toContain("chose node-2");
  });

  test("at a step, gates and funnel are those of its own event, whatever else is under way", () => {
    const cycles = m.log.range(1, m.log.last).filter((e) => e.kind === "schedule");
    for (const e of cycles) expect(moment(e.seq)).toContain(`chose ${(e.detail as { node: string }).node}`);
    for (const seq of m.timeline.steps) {
      const e = m.log.get(seq)!;
      if (e.kind !== "request" || (e.code ?? 0) >= 400) continue;
      expect(moment(seq)).toContain("gate gate-storage is-implied");
    }
  });

  test("no scores are shown when there were none", () => {
    const t = boot(new Tape());
    t.add({
      kind: "schedule",
      from: "system:kube-scheduler",
      verb: "schedule",
      object: { resource: "pods", namespace: "default", name: "a", uid: "u" },
      detail: {
        result: "scheduled",
        node: "node-2",
        feasible: 1,
        evaluated: 2,
        nodes: [{ name: "node-1", rejected: { plugin: "TaintToleration", reason: "tainted" } }, { name: "node-2" }],
      },
    });
    const one = material(t.events);
    const svg = toText(whole(compose(one, one.timeline.atOf(t.events.length), plain)));
    expect(svg).toContain("the only one left: no scores");
    expect(svg).not.toContain('class="bar"');
  });

  test("shows the components while they start", () => {
    const svg = moment(3);
    expect(svg).toContain("kube-apiserver, starting");
    expect(svg).toContain("etcd, ready");
    expect(svg).not.toContain("cloud-controller-manager");
  });

  test("in Korean as in English", () => {
    const svg = moment(m.log.last, { ...plain, lang: "ko" });
    for (const word of ["인증", "인가", "어드미션", "검증", "저장", "조용한 차선", "대역"]) expect(svg).toContain(word);
  });

  test("reduced motion knows only two ends", () => {
    const xs = new Set<string>();
    const seq = m.timeline.foreground.find((s) => m.log.get(s)!.kind === "etcd")!;
    for (let t = m.timeline.startOf(seq) + 1; t < m.timeline.atOf(seq); t += 20) {
      const svg = at(t, { ...plain, still: true });
      xs.add(new RegExp(`data-token="${seq}"[^>]*transform="([^"]+)"`).exec(svg)![1]!);
    }
    expect(xs.size).toBe(2);
    const faint = at(m.timeline.startOf(seq) + (m.timeline.atOf(seq) - m.timeline.startOf(seq)) * 0.45, {
      ...plain,
      still: true,
    });
    expect(faint).toMatch(new RegExp(`data-token="${seq}"[^>]*opacity="0.1"`));
  });

  test("has no style attributes, which the page's policy forbids", () => {
    for (const shape of ["wide", "tall"] as const) {
      expect(moment(m.log.last, { ...plain, shape })).not.toMatch(/ style=|undefined|NaN|\[object/);
    }
  });

  test("marks what is chosen and what the text lights", () => {
    expect(moment(60, { ...plain, lit: "etcd" })).toMatch(/class="part etcd[^"]*lit"/);
    expect(moment(60, { ...plain, lit: "kubelet" }).match(/class="part unit +lit" data-part="kubelet:/g)?.length).toBe(
      3,
    );
    expect(moment(60, { ...plain, selection: { type: "part", id: "authz" } })).toMatch(/gate-authz[^"]*chosen"/);
  });
});

/* Where everything is */

const inside = (b: Box, p: Point) =>
  p.x > b.x + 0.5 && p.x < b.x + b.w - 0.5 && p.y > b.y + 0.5 && p.y < b.y + b.h - 0.5;

/** Whether a level or upright line has a part inside a box. */
const crosses = (b: Box, p: Point, q: Point) =>
  Math.max(p.x, q.x) > b.x + 0.5 &&
  Math.min(p.x, q.x) < b.x + b.w - 0.5 &&
  Math.max(p.y, q.y) > b.y + 0.5 &&
  Math.min(p.y, q.y) < b.y + b.h - 0.5;

function boxesOf(g: Geometry): Record<string, Box> {
  const boxes: Record<string, Box> = {
    person: g.person,
    kubestage: g.kubestage,
    others: g.others,
    hall: g.hall,
    etcd: g.etcd,
    controllers: g.controllers,
    scheduler: g.scheduler,
    quiet: g.quiet,
  };
  g.rooms.nodes.forEach((n, i) => {
    if (n) boxes[`node ${i}`] = n;
  });
  if (g.rooms.rest) boxes.rest = g.rooms.rest;
  return boxes;
}

const counts = [1, 2, 3, 4, 5, 8, 9, 20, 24, 25, 60, 61, 200, 250];
const cases = (["wide", "tall"] as Shape[]).flatMap((s) =>
  counts.flatMap((n) => [null, Math.floor(n / 2)].map((open) => [s, n, open] as const)),
);

describe.each(cases)("the %s layout for %i nodes, open: %s", (shape, count, open) => {
  const g = geometry(shape, count, open);
  const boxes = boxesOf(g);

  test("has no two boxes on one another, and all within the picture", () => {
    const all = Object.entries(boxes);
    for (const [a, x] of all) {
      expect([a, x.x >= 0, x.y >= 0, x.x + x.w <= g.width + 0.01, x.y + x.h <= g.height + 0.01]).toEqual([
        a,
        true,
        true,
        true,
        true,
      ]);
      for (const [b, y] of all) {
        if (a < b) {
          const apart = x.x + x.w <= y.x || y.x + y.w <= x.x || x.y + x.h <= y.y || y.y + y.h <= x.y;
          expect([a, b, apart]).toEqual([a, b, true]);
        }
      }
    }
  });

  test("leads its lines through the gutters, never through a box", () => {
    const all = Object.entries(boxes);
    const lines: [string, Point[]][] = [];
    for (const p of ["person", "kubestage", "others", "controllers", "scheduler"]) {
      lines.push([p, g.toDoor(p, -1)], [p, g.fromWatch(p, -1)]);
    }
    for (let i = 0; i < count; i++)
      lines.push([`node ${i}`, g.toDoor("node", i)], [`node ${i}`, g.fromWatch("node", i)]);
    lines.push(["etcd", g.toEtcd]);
    const through: string[] = [];
    for (const [name, points] of lines) {
      for (let i = 1; i < points.length; i++) {
        const [p, q] = [points[i - 1]!, points[i]!];
        expect([name, p.x === q.x || p.y === q.y]).toEqual([name, true]);
        for (const [box, b] of all) {
          // Every line begins or ends in the hall.
          if (box !== "hall" && crosses(b, p, q))
            through.push(`${name} through ${box} from ${p.x},${p.y} to ${q.x},${q.y}`);
        }
      }
    }
    expect(through).toEqual([]);
  });

  test("keeps request lines out of the hall but for the door", () => {
    for (const p of ["person", "kubestage", "others", "controllers", "scheduler", "node"]) {
      const way = new Way(g.toDoor(p, 0));
      const within: Point[] = [];
      for (let u = 0; u <= 1; u += 0.005) if (inside(g.hall, way.at(u))) within.push(way.at(u));
      expect(within).toEqual([]);
      expect(way.at(1)).toEqual(g.door);
    }
  });

  test("lays pods side by side", () => {
    for (const n of g.rooms.nodes) {
      if (!n) continue;
      for (const crowd of [1, 5, 9, 30, 60, 110]) {
        const grid = tileGrid(n.pods, crowd);
        if (!grid) continue; // they are counted
        for (let i = 0; i < grid.columns * grid.rows; i++) {
          const a = tileAt(n.pods, grid, i)!;
          expect(a.x + a.w).toBeLessThanOrEqual(n.x + n.w);
          expect(a.y + a.h).toBeLessThanOrEqual(n.y + n.h);
        }
      }
    }
  });
});

describe("tokens beyond counting", () => {
  const token = (seq: number): Token => ({
    seq,
    key: `t${seq}`,
    shape: "request",
    deed: "read",
    inferred: false,
    x: seq % 100,
    y: 0,
    label: "",
    opacity: 1,
    resting: false,
    refused: false,
    line: `line ${seq % 3}`,
  });

  test("are thinned the same way each time, and counted", () => {
    const all = Array.from({ length: 1000 }, (_, i) => token(i + 1));
    const a = thin(all, 300);
    expect(a.tokens.length).toBeLessThanOrEqual(300);
    expect(a.tokens.length).toBeGreaterThan(150);
    expect(a.badges.reduce((n, b) => n + b.count, 0) + a.tokens.length).toBe(1000);
    expect(thin(all, 300)).toEqual(a);
  });

  test("keep every sort: the scatter does not follow a rhythm", () => {
    for (const rhythm of [2, 3, 4, 5, 8]) {
      const kept = Array.from({ length: 4000 }, (_, i) => i * rhythm).filter((s) => (scatter(s) & 3) === 0).length;
      expect(kept).toBeGreaterThan(850);
      expect(kept).toBeLessThan(1150);
    }
  });

  test("are all drawn while they are few", () => {
    const t = createDeployment(boot(new Tape()), "web", 3);
    const few = material(t.events);
    for (let x = 0; x < few.timeline.rest; x += 400) {
      const scene = {
        geometry: geometry("wide", 3),
        state: few.history.at(few.timeline.seqAt(x)),
        timeline: few.timeline,
        still: false,
        event: (s: number) => few.log.get(s),
      };
      expect(tokensAt(scene, x).badges).toEqual([]);
    }
  });
});

/* Many */

/** A cluster with so many nodes and pods, as a list of what was there already. */
function crowd(nodes: number, pods: number, left: (i: number) => boolean = () => false): KubeEvent[] {
  const events: KubeEvent[] = [];
  const add = (verb: string, resource: string, name: string, value: object) => {
    events.push({
      seq: events.length + 1,
      kind: "etcd",
      start: "2026-01-01T00:00:00Z",
      end: "2026-01-01T00:00:00Z",
      from: "kube-apiserver",
      to: "etcd",
      verb,
      object: { version: "v1", resource, name, uid: name, ...(resource === "pods" ? { namespace: "default" } : {}) },
      revision: String(events.length + 1),
      evidence: { how: "observed", source: "etcd" },
      detail: { key: `/registry/${resource}/${name}`, version: 1, value },
    });
  };
  for (let i = 1; i <= nodes; i++)
    add("range", "nodes", `node-${i}`, {
      metadata: { name: `node-${i}`, uid: `node-${i}` },
      status: { conditions: [{ type: "Ready", status: i % 50 === 7 ? "False" : "True" }] },
    });
  const value = (i: number) => ({
    metadata: { name: `pod-${i}`, namespace: "default", uid: `pod-${i}` },
    spec: { nodeName: `node-${(i % nodes) + 1}`, containers: [{ name: "c" }] },
    status: { phase: i % 40 === 3 ? "Failed" : "Running", conditions: [{ type: "Ready", status: "True" }] },
  });
  for (let i = 1; i <= pods; i++) {
    add("put", "pods", `pod-${i}`, value(i));
    if (left(i)) add("delete", "pods", `pod-${i - 2}`, value(i - 2));
  }
  return events;
}

describe("many nodes and pods", () => {
  const drawn = (nodes: number, pods: number, look = plain) => {
    const all = material(crowd(nodes, pods));
    return toText(whole(compose(all, all.timeline.rest, look)));
  };

  test("one by one while they fit, then counted; nobody is left out", () => {
    expect(drawn(3, 330).match(/data-object="pods\//g)).toHaveLength(330);
    const counted = drawn(3, 600);
    expect(counted).not.toContain('data-object="pods/');
    const sums = [...counted.matchAll(/aria-label="node-\d: (\d+) \w+"/g)].reduce((n, [, c]) => n + Number(c), 0);
    expect(sums).toBe(600);
    const many = drawn(200, 5000);
    expect(many.match(/data-zoom="node:node-\d+"/g)).toHaveLength(200);
    expect(many).toContain("200 nodes · 196 Ready · 4 NotReady · 5,000 Pods");
  });

  test("a node that is opened shows its pods one by one, in place of the others", () => {
    const open = drawn(200, 5000, { ...plain, zoom: "node:node-42" });
    expect(open.match(/data-object="pods\//g)).toHaveLength(25);
    expect(open).toContain("+199 more nodes");
    const failed = drawn(3, 600, { ...plain, zoom: "node:node-1/failed" });
    expect(failed.match(/class="pod pod-(\w+)/g)?.every((c) => c.endsWith("failed"))).toBe(true);
  });

  test("a pod keeps its place for life, and all become smaller at most three times", () => {
    const all = material(crowd(3, 120, (i) => i > 20 && i % 7 === 0));
    const last = new Map<string, { place: string; width: string }>();
    const widths: string[] = [];
    for (let seq = 1; seq <= all.log.last; seq += 3) {
      const svg = toText(whole(compose(all, all.timeline.atOf(seq), plain)));
      for (const [, uid, x, y, w] of svg.matchAll(
        /data-uid="([^"]+)"[^>]*>\s*<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"/g,
      )) {
        const was = last.get(uid!);
        if (was && was.width === w) expect([uid, was.place]).toEqual([uid, `${x} ${y}`]);
        last.set(uid!, { place: `${x} ${y}`, width: w! });
        if (widths[widths.length - 1] !== w) widths.push(w!);
      }
    }
    expect(widths).toHaveLength(4);
  });
});

describe("what is inside", () => {
  const look = (zoom: string) => ({ ...plain, zoom });
  const create = m.log.range(1, m.log.last).find((e) => e.from === learner && e.verb === "create")!;
  const cycle = m.log.range(1, m.log.last).find((e) => e.kind === "schedule")!;

  test.each([
    "kube-apiserver",
    "etcd",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet:node-1",
    "runtime:node-1",
  ])("%s is drawn at any moment, wide and tall, in both languages", (zoom) => {
    for (let i = 0; i <= 12; i++) {
      for (const shape of ["wide", "tall"] as const) {
        for (const lang of ["en", "ko"] as const) {
          const svg = at((m.timeline.rest * i) / 12, { ...look(zoom), shape, lang });
          expect(svg).toContain('class="inside"');
          expect(svg).not.toMatch(/ style=|undefined|NaN|\[object|data-token/);
        }
      }
    }
  });

  test("it knows nothing that comes after the playhead", () => {
    const early = material(m.log.range(1, create.seq));
    for (const zoom of ["kube-apiserver", "etcd", "kube-controller-manager", "kubelet:node-1", "runtime:node-1"]) {
      const t = m.timeline.atOf(create.seq);
      expect(toText(whole(compose(early, early.timeline.atOf(create.seq), look(zoom))))).toBe(at(t, look(zoom)));
    }
  });

  test("the request's gates, the scheduler's reasons and the ledger's writers are told", () => {
    expect(moment(create.seq, look("kube-apiserver"))).toContain(learner);
    const svg = moment(cycle.seq, look("kube-scheduler"));
    expect(svg).toContain("NodeResourcesFit: Insufficient cpu");
    expect(svg).toContain("chose node-2");
    expect(moment(m.log.last, look("etcd"))).toContain("controller");
  });

  test("an unknown word opens nothing", () => {
    expect(readZoom("teapot")).toBeNull();
    expect(readZoom("node:")).toBeNull();
    expect(readZoom("node:n/ready")).toEqual({ what: "node", node: "n", phase: "ready" });
    expect(moment(60, look("node:nobody"))).toBe(moment(60));
  });
});
