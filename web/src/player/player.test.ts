import { describe, expect, test } from "vitest";
import { History } from "../model/history.ts";
import { material } from "../test/cluster.ts";
import { boot, createDeployment, everything, heartbeat, long, Tape } from "../test/tape.ts";
import { instant } from "../wire/instant.ts";
import { EventLog } from "../wire/log.ts";
import { lengthOf, paceOf, speeds } from "./display.ts";
import { hurry, PATIENCE, Player } from "./player.ts";

const events = everything().events;

describe.each(speeds)("display time at speed %f", (speed) => {
  const { timeline: l, log, history } = material(events, speed);

  test("what is seen is the log up to some event", () => {
    for (let s = 2; s <= log.last; s++) expect(l.atOf(s)).toBeGreaterThanOrEqual(l.atOf(s - 1));
  });

  test("nothing sets out before its causes have arrived", () => {
    for (const seq of l.foreground) {
      for (const c of log.get(seq)!.causes ?? []) {
        expect(l.startOf(seq)).toBeGreaterThanOrEqual(l.atOf(c.seq) - 1e-6);
      }
    }
  });

  test("a token travels as long as its kind travels at this speed", () => {
    for (const seq of l.foreground) {
      const e = log.get(seq)!;
      expect(l.atOf(seq) - l.startOf(seq)).toBeCloseTo(lengthOf(e) * l.pace.hop, 6);
      expect(l.endOf(seq)).toBeGreaterThan(l.atOf(seq));
    }
  });

  test("no two steps are taken at once", () => {
    for (let i = 1; i < l.steps.length; i++) expect(l.atOf(l.steps[i]!)).toBeGreaterThan(l.atOf(l.steps[i - 1]!));
  });

  test("the quiet lane takes no time", () => {
    for (const e of log.range(1, log.last)) {
      if (history.lane(e.seq) !== "foreground") expect(l.atOf(e.seq)).toBe(e.seq === 1 ? 0 : l.atOf(e.seq - 1));
    }
  });

  test("what was placed stays, however the log grows", () => {
    const half = Math.floor(events.length / 2);
    const short = material(events.slice(0, half), speed).timeline;
    expect(l.at.slice(0, half)).toEqual(short.at);
    expect(l.start.slice(0, half)).toEqual(short.start);
  });
});

describe("display time", () => {
  test("silence is left out, and the place is marked", () => {
    const t = boot(new Tape());
    t.wait(60_000);
    createDeployment(t);
    const { timeline: l } = material(t.events);
    const gap = l.gaps[l.gaps.length - 1]!;
    expect(gap.real).toBeGreaterThan(59_000);
    expect(l.rest).toBeLessThan(120_000);
  });

  test("slower is longer", () => {
    const rests = speeds.map((s) => material(events, s).timeline.rest);
    for (let i = 1; i < rests.length; i++) expect(rests[i]).toBeGreaterThan(rests[i - 1]!);
    expect(paceOf(1).hop).toBeLessThan(200);
    expect(paceOf(1 / 1000).hop).toBe(1500);
  });

  test("at speed 1 a second takes about a second", () => {
    const t = new Tape();
    for (let i = 0; i < 10; i++) t.wait(300).request("kubernetes-admin", "list", { resource: "pods" }, {}, 200);
    const { timeline: l, log } = material(t.events, 1);
    const real = instant(log.get(10)!.end) - instant(log.get(1)!.end);
    expect((l.atOf(10) - l.atOf(1)) / real).toBeCloseTo(1, 1);
  });

  test("the notifications of one revision are one step", () => {
    const { timeline: l, log } = material(events);
    const told = l.steps.map((s) => log.get(s)!).filter((e) => e.kind === "watch");
    const causes = told.map((e) => e.causes![0]!.seq);
    expect(new Set(causes).size).toBe(causes.length);
  });

  test("who is on stage is found as by looking at everybody", () => {
    const { timeline: l } = material(events);
    for (let t = 0; t < l.rest; t += 731) {
      const slow = l.foreground.filter((s) => l.startOf(s) < t && t < l.endOf(s));
      expect(l.onStage(t)).toEqual(slow);
    }
  });
});

describe("the player", () => {
  function make() {
    const log = new EventLog();
    const history = new History(log);
    let now = 0;
    let next: ((now: number) => void) | null = null;
    const player = new Player(log, history, {
      now: () => now,
      request: (fn) => {
        next = fn;
        return 1;
      },
      cancel: () => {
        next = null;
      },
    });
    const run = (ms: number, frame = 16) => {
      for (let t = 0; t < ms && next; t += frame) {
        now += frame;
        const fn = next;
        next = null;
        fn(now);
      }
    };
    return { log, player, run, waiting: () => next !== null };
  }

  test("joins at the end of what was there, and follows what comes", () => {
    const { log, player, run, waiting } = make();
    const t = boot(new Tape());
    const old = t.events.length;
    createDeployment(t.wait(3000));
    log.append(t.events.slice(0, old));
    player.join();
    expect(player.playhead.value).toBe(old);
    expect(waiting()).toBe(false);
    log.append(t.events.slice(old));
    expect(player.still).toBe(false);
    run(200_000);
    expect(player.playhead.value).toBe(t.events.length);
    expect(player.still).toBe(true);
    expect(waiting()).toBe(false);
    expect(player.mode.value).toBe("live");
    expect(player.drawn).toEqual(player.timeline.foreground.filter((s) => s > old));
  });

  test("steps forward and back through the same moments", () => {
    const { log, player } = make();
    log.append(events);
    player.join();
    const back: number[] = [];
    for (let i = 0; i < 30; i++) {
      player.step(-1);
      back.push(player.playhead.value);
    }
    expect(player.mode.value).toBe("paused");
    const forward: number[] = [];
    for (let i = 0; i < 29; i++) {
      player.step(1);
      forward.push(player.playhead.value);
    }
    expect(forward).toEqual(back.slice(0, -1).reverse());
    player.seek(1);
    player.step(-1);
    player.step(-1);
    expect(player.t.value).toBe(0);
    player.step(1);
    expect(player.playhead.value).toBeGreaterThanOrEqual(1);
  });

  test("steps through some steps alone, and says where they end", () => {
    const { log, player } = make();
    log.append(events);
    player.join();
    const some = player.timeline.steps.filter((_, i) => i % 7 === 3);
    player.seek(1);
    const forward: number[] = [];
    while (player.step(1, some)) forward.push(player.t.value);
    expect(forward).toEqual(some.map((s) => player.timeline.atOf(s)));
    const end = player.t.value;
    player.step(1, some);
    expect(player.t.value).toBe(end);
    const back = [end];
    while (player.step(-1, some)) back.push(player.t.value);
    expect(back).toEqual(forward.reverse());
  });

  test("loops between two events until it is told not to", () => {
    const { log, player, run } = make();
    log.append(events);
    player.join();
    const l = player.timeline;
    const [from, to] = [l.steps[10]!, l.steps[16]!];
    player.setLoop({ from: to, to: from });
    expect(player.mode.value).toBe("playing");
    const seen: number[] = [];
    for (let i = 0; i < 3000; i++) {
      run(16);
      seen.push(player.t.value);
    }
    expect(seen.filter((t, i) => t < (seen[i - 1] ?? 0)).length).toBeGreaterThan(1);
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(l.startOf(from));
    expect(Math.max(...seen)).toBeLessThan(l.atOf(l.steps[17]!));
    player.setLoop(null);
    run(600_000);
    expect(player.mode.value).toBe("live");
  });

  test("a change of speed keeps the place", () => {
    const { log, player } = make();
    log.append(events);
    player.join();
    player.seek(80);
    const at = player.playhead.value;
    player.setSpeed(1 / 1000);
    expect(player.playhead.value).toBe(at);
    player.setSpeed(1);
    expect(player.playhead.value).toBe(at);
    player.faster(-1);
    expect(player.speed.value).toBe(1 / 2);
    player.catchUp();
    player.setSpeed(1 / 100);
    expect(player.still).toBe(true);
  });

  test("keeps its place when the log lets go of its beginning", () => {
    const log = new EventLog(600);
    const history = new History(log);
    const player = new Player(log, history, { now: () => 0, request: () => 1, cancel: () => {} });
    const many = long(1200).events;
    log.append(many.slice(0, 590));
    player.join();
    player.seek(400);
    const at = player.playhead.value;
    for (let i = 590; i < 1100; i += 10) log.append(many.slice(i, i + 10));
    expect(log.first).toBeGreaterThan(400);
    expect(player.timeline.first).toBe(log.first);
    expect(player.timeline.last).toBe(log.last);
    player.step(1);
    expect(player.playhead.value).toBeGreaterThan(at);
    player.setSpeed(1 / 500);
    expect(player.timeline.last).toBe(log.last);
  });

  test("plays from the past to live", () => {
    const { log, player, run } = make();
    log.append(events);
    player.join();
    player.seek(5);
    player.play();
    expect(player.mode.value).toBe("playing");
    run(1_000_000, 200);
    expect(player.mode.value).toBe("live");
    expect(player.playhead.value).toBe(events.length);
  });

  test("a person's request interrupts a long wait", () => {
    const { log, player } = make();
    const t = boot(new Tape());
    const quiet = t.events.length;
    createDeployment(t.wait(3000), "first", 6);
    const more = t.events.length;
    createDeployment(t.wait(100), "second", 1);
    log.append(t.events.slice(0, quiet));
    player.join();
    log.append(t.events.slice(quiet, more));
    log.append(t.events.slice(more));
    expect(player.t.value).toBeCloseTo(player.timeline.startOf(more + 1), 3);
  });

  test("hurries only when too much waits", () => {
    expect(hurry(PATIENCE)).toBe(1);
    expect(hurry(PATIENCE * 3)).toBe(3);
  });

  test("heartbeats do not keep it awake", () => {
    const { log, player, waiting } = make();
    const t = boot(new Tape());
    log.append(t.events);
    player.join();
    const n = t.events.length;
    heartbeat(t.wait(1000));
    log.append(t.events.slice(n));
    expect(waiting()).toBe(false);
    expect(player.playhead.value).toBe(t.events.length);
    expect(player.still).toBe(true);
  });
});
