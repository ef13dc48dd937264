import { describe, expect, test } from "vitest";
import { boot, Tape } from "../test/tape.ts";
import { instant, took } from "./instant.ts";
import { EventLog } from "./log.ts";
import { backoff, parseMessage } from "./socket.ts";

const events = boot(new Tape()).events;

describe("the log", () => {
  test("keeps events in order and skips what it has", () => {
    const log = new EventLog();
    log.append(events.slice(0, 5));
    log.append(events.slice(3, 8));
    expect([log.first, log.last]).toEqual([1, 8]);
    expect(log.range(2, 4).map((e) => e.seq)).toEqual([2, 3, 4]);
    expect(log.get(9)).toBeUndefined();
  });

  test("begins anew after a hole, and says so", () => {
    const log = new EventLog();
    const resets: number[] = [];
    log.listen({ append: () => {}, reset: (first) => resets.push(first) });
    log.append(events.slice(0, 3));
    log.append(events.slice(6, 8));
    expect(resets).toEqual([7]);
    expect([log.first, log.last]).toEqual([7, 8]);
  });

  test("lets go of the oldest, after telling its listeners", () => {
    const log = new EventLog(20);
    let kept = 0;
    log.listen({
      append: () => {},
      reset: () => {},
      dropping: (before) => {
        kept = log.get(before - 1)?.seq ?? 0;
      },
    });
    log.append(events.slice(0, 21));
    expect(log.first).toBe(3);
    expect(kept).toBe(2);
    expect(log.get(2)).toBeUndefined();
    expect(log.get(3)?.seq).toBe(3);
  });
});

test("instants keep what is left of the nanoseconds", () => {
  const a = instant("2026-11-21T09:00:00.123456789Z");
  const b = instant("2026-11-21T09:00:00.123956789Z");
  expect(b - a).toBeCloseTo(0.5, 2);
  expect(took({ start: "2026-11-21T09:00:00Z", end: "2026-11-21T09:00:00.0015Z" })).toBeCloseTo(1.5, 2);
  expect(instant("soon")).toBeNaN();
});

test("frames that cannot be read are passed over", () => {
  const error = console.error;
  console.error = () => {};
  expect(parseMessage("{")).toBeNull();
  expect(parseMessage('{"type":"events"}')).toBeNull();
  console.error = error;
  expect(parseMessage('{"type":"ping","now":"","last":3}')).toEqual({ type: "ping", now: "", last: 3 });
  expect([0, 1, 2, 9].map(backoff)).toEqual([250, 500, 1000, 5000]);
});
