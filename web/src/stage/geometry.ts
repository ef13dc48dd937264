// Where everything is. One place for each component, the same in every
// chapter; lines run in the gutters between boxes and never through them. The
// wide picture is for desks and projectors, the tall one for phones. A unit of
// the drawing is nearly a pixel on a small screen.
import { type Rooms, tallRooms, wideRooms } from "./rooms.ts";
import { at, type Box, box, type Point } from "./way.ts";

export type Shape = "wide" | "tall";

export interface Geometry {
  shape: Shape;
  width: number;
  height: number;
  person: Box;
  kubestage: Box;
  others: Box;
  hall: Box;
  gates: Box[];
  /** The way through the hall: from the door past every gate. */
  rail: number;
  door: Point;
  watchBar: { x1: number; x2: number; y: number };
  etcd: Box;
  controllers: Box;
  scheduler: Box;
  cloud: Box;
  quiet: Box;
  rooms: Rooms;
  /** Where what is inside a component is drawn, in place of everything. */
  inside: Box;
  /** The way of a request from a place to the door. */
  toDoor(place: string, node: number): Point[];
  /** The way of a notification from the watch bar to a place. */
  fromWatch(place: string, node: number): Point[];
  /** The way of a write from the last gate to etcd. */
  toEtcd: Point[];
}

/** open is the slot of the node that takes the place of the others. */
export function geometry(shape: Shape, count: number, open: number | null = null): Geometry {
  return shape === "wide" ? wide(count, open) : tall(count, open);
}

/** The gates side by side, as wide as their names want. */
function gateBoxes(x: number, y: number, widths: readonly number[], gap: number): Box[] {
  let left = x;
  return widths.map((w) => {
    const b = box(left, y, w, 72);
    left += w + gap;
    return b;
  });
}

function wide(count: number, open: number | null): Geometry {
  const W = 1000;
  const H = 590;
  const hall = box(190, 0, 512, 180);
  const rail = 128;
  const door = at(hall.x, rail);
  const bar = 168;
  const person = box(0, rail - 42, 140, 84);
  const kubestage = box(0, 0, 140, 32);
  const others = box(0, 40, 140, 32);
  const controllers = box(0, 240, 336, 112);
  const scheduler = box(380, 240, 322, 112);
  const etcd = box(744, 0, 256, 180);
  const quiet = box(744, 240, 256, 112);
  const entry = 165;
  const bus = 208;
  const up = [at(entry, bus), at(entry, rail), door];
  const ask = { trunk: 351, y: 388 };
  const tell = { trunk: 365, y: 373 };
  const rooms = wideRooms(box(0, 404, W, H - 404), count, open);
  const gates = gateBoxes(hall.x + 12, 40, [108, 102, 88, 84, 86], 5);
  const storage = gates[4]!;
  return {
    shape: "wide",
    width: W,
    height: H,
    person,
    kubestage,
    others,
    hall,
    gates,
    rail,
    door,
    watchBar: { x1: hall.x + 14, x2: hall.x + hall.w - 14, y: bar },
    etcd,
    controllers,
    scheduler,
    cloud: box(quiet.x, quiet.y, quiet.w, 36),
    quiet,
    rooms,
    inside: box(0, 0, W, H),
    toDoor(p, node) {
      switch (p) {
        case "person":
          return [at(person.x + person.w, rail), door];
        case "kubestage":
          return [at(140, 16), at(entry - 8, 16), at(entry - 8, rail), door];
        case "others":
          return [at(140, 56), at(entry - 8, 56), at(entry - 8, rail), door];
        case "apiserver":
          return [at(hall.x - 14, rail), door];
        case "controllers":
          return [at(240, controllers.y), at(240, bus), ...up];
        case "scheduler":
          return [at(460, scheduler.y), at(460, bus), ...up];
        case "cloud":
          return [at(820, quiet.y), at(820, bus), ...up];
      }
      const out = rooms.leave(Math.max(0, node), "ask");
      return [...out, at(out[out.length - 1]!.x, ask.y), at(ask.trunk, ask.y), at(ask.trunk, bus), ...up];
    },
    fromWatch(p, node) {
      switch (p) {
        case "person":
          return [at(hall.x, rail - 8), at(person.x + person.w, rail - 8)];
        case "kubestage":
          return [at(hall.x, rail - 8), at(entry + 2, rail - 8), at(entry + 2, 22), at(140, 22)];
        case "others":
          return [at(hall.x, rail - 8), at(entry + 2, rail - 8), at(entry + 2, 62), at(140, 62)];
        case "controllers":
          return [at(290, bar), at(290, controllers.y)];
        case "scheduler":
          return [at(560, bar), at(560, scheduler.y)];
        case "cloud":
          return [at(660, bar), at(660, 196), at(880, 196), at(880, quiet.y)];
      }
      const out = rooms.leave(Math.max(0, node), "tell");
      return [at(tell.trunk, bar), at(tell.trunk, tell.y), at(out[out.length - 1]!.x, tell.y), ...[...out].reverse()];
    },
    toEtcd: [at(storage.x + storage.w / 2, rail), at(etcd.x, rail)],
  };
}

function tall(count: number, open: number | null): Geometry {
  const W = 400;
  const left = 20;
  const w = 360;
  const ask = 8;
  const tell = 392;
  const hall = box(left, 84, w, 184);
  const rail = hall.y + 130;
  const door = at(hall.x, rail);
  const bar = hall.y + 172;
  const person = box(left, 0, 140, 54);
  const kubestage = box(left + 152, 0, 94, 54);
  const others = box(left + 258, 0, 102, 54);
  const etcd = box(left, 300, w, 150);
  const controllers = box(left, 482, w, 112);
  const scheduler = box(left, 626, w, 112);
  const cloud = box(left, 770, w, 36);
  const rooms = tallRooms(left, 838, w, count, open);
  const quiet = box(left, 838 + rooms.h + 24, w, 112);
  const gates = gateBoxes(hall.x + 6, hall.y + 42, [66, 66, 71, 71, 62], 3);
  const storage = gates[4]!;
  const home = [at(ask, rail), door];
  const side = (b: Box) => [at(b.x, b.y + 28), at(ask, b.y + 28), ...home];
  const drop = (b: Box) => [at(b.x + b.w / 2 - 8, b.y + b.h), at(b.x + b.w / 2 - 8, 72), at(ask, 72), ...home];
  const down = [at(hall.x + hall.w, bar), at(tell, bar)];
  return {
    shape: "tall",
    width: W,
    height: quiet.y + quiet.h,
    person,
    kubestage,
    others,
    hall,
    gates,
    rail,
    door,
    watchBar: { x1: hall.x + 12, x2: hall.x + hall.w, y: bar },
    etcd,
    controllers,
    scheduler,
    cloud,
    quiet,
    rooms,
    inside: box(4, 0, W - 8, 900),
    toDoor(p, node) {
      switch (p) {
        case "person":
          return drop(person);
        case "kubestage":
          return drop(kubestage);
        case "others":
          return drop(others);
        case "apiserver":
          return [at(ask, rail), door];
        case "controllers":
          return side(controllers);
        case "scheduler":
          return side(scheduler);
        case "cloud":
          return side(cloud);
      }
      const out = rooms.leave(Math.max(0, node), "ask");
      return [...out, at(ask, out[out.length - 1]!.y), ...home];
    },
    fromWatch(p, node) {
      const to = (b: Box) => [...down, at(tell, b.y + 28), at(b.x + b.w, b.y + 28)];
      switch (p) {
        case "person":
        case "kubestage":
        case "others": {
          const b = p === "person" ? person : p === "kubestage" ? kubestage : others;
          const x = b.x + b.w / 2 + 8;
          return [at(hall.x, rail - 8), at(ask + 5, rail - 8), at(ask + 5, 78), at(x, 78), at(x, b.y + b.h)];
        }
        case "scheduler":
          return to(scheduler);
        case "controllers":
          return to(controllers);
        case "cloud":
          return to(cloud);
      }
      const out = rooms.leave(Math.max(0, node), "tell");
      return [...down, at(tell, out[out.length - 1]!.y), ...[...out].reverse()];
    },
    toEtcd: [at(storage.x + storage.w / 2, rail), at(storage.x + storage.w / 2, etcd.y)],
  };
}
