// Tokens: what travels. Where one is follows from its event, its display
// times and t, nothing else. The shape says what kind of message it is, the
// colour what the message does, the word beside it says both.

import { codeWords, tokenName } from "../i18n/words.ts";
import { actorOf } from "../model/actor.ts";
import { type Passage, passageOf } from "../model/gates.ts";
import { isRead } from "../model/lane.ts";
import type { ClusterState } from "../model/state.ts";
import { GATES, PUT, type Timeline } from "../player/display.ts";
import type { KubeEvent } from "../wire/event.ts";
import type { Geometry } from "./geometry.ts";
import { shorten } from "./measure.ts";
import { round } from "./node.ts";
import type { NodeBox } from "./rooms.ts";
import { tileAt, tileGrid } from "./tiles.ts";
import { type Point, Way } from "./way.ts";

export type TokenShape = "request" | "response" | "watch" | "write" | "cri" | "decision" | "component";
export type Deed = "create" | "update" | "delete" | "read" | "decide";

export interface Token {
  seq: number;
  /** Its name among the elements of the page. */
  key: string;
  shape: TokenShape;
  deed: Deed;
  inferred: boolean;
  x: number;
  y: number;
  label: string;
  /** Where its word ends, when not beside it. */
  word?: Point;
  /** With reduced motion a token fades from one end of its way to the other. */
  opacity: number;
  /** It has arrived and only its word still stands. */
  resting: boolean;
  refused: boolean;
  /** Names the line it is on, for counting what is not drawn one by one. */
  line: string;
}

/** Tokens drawn one by one; beyond, they are thinned and counted. */
export const MOST = 300;

export interface Scene {
  geometry: Geometry;
  state: ClusterState;
  timeline: Timeline;
  /** Reduced motion: tokens stand at one end or the other. */
  still: boolean;
  event(seq: number): KubeEvent | undefined;
  span?(seq: number): KubeEvent | undefined;
}

export interface Tokens {
  tokens: Token[];
  badges: { line: string; x: number; y: number; count: number }[];
}

/** onStage are the events whose tokens are there at t. */
export function tokensAt(scene: Scene, t: number, onStage = scene.timeline.onStage(t)): Tokens {
  const all: Token[] = [];
  for (const seq of onStage) {
    const e = scene.event(seq);
    const token = e && tokenAt(scene, e, t);
    if (token) all.push(token);
  }
  return thin(all, MOST);
}

/** Scatters a sequence number, so that thinning does not favour every second kind of message. */
export function scatter(seq: number): number {
  let x = Math.imul(seq ^ (seq >>> 16), 0x45d9f3b);
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  return (x ^ (x >>> 16)) >>> 0;
}

export function thin(all: Token[], most: number): Tokens {
  let mask = 0;
  while (all.length / (mask + 1) > most) mask = mask * 2 + 1;
  if (mask === 0) return { tokens: all, badges: [] };
  const tokens: Token[] = [];
  const lines = new Map<string, { line: string; x: number; y: number; count: number }>();
  for (const k of all) {
    if ((scatter(k.seq) & mask) === 0 && tokens.length < most) tokens.push(k);
    else {
      const b = lines.get(k.line) ?? { line: k.line, x: k.x, y: k.y, count: 0 };
      b.count++;
      lines.set(k.line, b);
    }
  }
  return { tokens, badges: [...lines.values()] };
}

export function deedOf(e: KubeEvent): Deed {
  switch (e.kind) {
    case "request":
      if (isRead(e)) return "read";
      if (e.verb === "create")
        return e.object?.subresource && e.object.subresource !== "eviction" ? "update" : "create";
      return e.verb.startsWith("delete") ? "delete" : "update";
    case "etcd":
      return e.verb === "delete" ? "delete" : e.detail?.version === 1 ? "create" : "update";
    case "watch":
      return e.verb === "ADDED" ? "create" : e.verb === "DELETED" ? "delete" : "update";
    case "schedule":
      return "decide";
    case "cri":
      return /^(Stop|Remove|ContainerExited)/.test(e.verb)
        ? "delete"
        : /^(Run|Create|Start)/.test(e.verb)
          ? "create"
          : "read";
    default:
      return "update";
  }
}

/** What a token has of its event, wherever it is. */
type Origin = Pick<Token, "key" | "deed" | "inferred" | "label">;
const origins = new WeakMap<KubeEvent, Origin>();
function originOf(e: KubeEvent): Origin {
  let origin = origins.get(e);
  if (!origin) {
    origin = {
      key: `t${e.seq}`,
      deed: deedOf(e),
      inferred: e.evidence.how === "inferred",
      label: makeLabel(e),
    };
    origins.set(e, origin);
  }
  return origin;
}

/** The word beside a token. */
export function labelOf(e: KubeEvent): string {
  return originOf(e).label;
}

function makeLabel(e: KubeEvent): string {
  const o = e.object;
  const name = o ? shorten(tokenName(o), 28) : "";
  switch (e.kind) {
    case "request":
      if (o?.subresource === "binding") return `bind ${name}`;
      return `${e.verb} ${name}${o?.subresource ? ` ${o.subresource}` : ""}`;
    case "etcd":
      return `${e.verb} · rev ${e.revision ?? "?"}`;
    case "watch":
      return `${e.verb} ${name}`;
    case "cri":
      return e.verb;
    default:
      return "";
  }
}

/** The line of a place in the picture, and the node's number if it is a node. */
export function lineOf(scene: Pick<Scene, "state">, actorId: string): { place: string; node: number } {
  const a = actorOf(actorId);
  switch (a.role) {
    case "kubelet":
    case "runtime":
      return { place: "node", node: scene.state.nodes.get(a.node ?? "")?.slot ?? -1 };
    case "person":
    case "workload":
      return { place: personPlace(scene.state, actorId), node: -1 };
    default:
      return { place: a.role, node: -1 };
  }
}

/** The first who came from outside has the place of kubectl; later ones share the place beside it. */
export function personPlace(s: ClusterState, id: string): string {
  let first = "";
  let slot = Number.POSITIVE_INFINITY;
  for (const c of s.clients.values()) {
    const role = actorOf(c.id).role;
    if (role === "person" && c.slot < slot) {
      slot = c.slot;
      first = c.id;
    }
  }
  return first === "" || first === id ? "person" : "others";
}

/** Gone from one end in the middle of the time, and then there at the other. */
const fade = (u: number) => Math.abs(2 * u - 1);

function tokenAt(scene: Scene, e: KubeEvent, t: number): Token | null {
  const { timeline: l, geometry: g } = scene;
  const start = l.startOf(e.seq);
  const at = l.atOf(e.seq);
  const { key, deed, inferred, label } = originOf(e);
  const u = at > start ? Math.min(1, (t - start) / (at - start)) : 1;
  const k = scene.still ? (u < 0.5 ? 0 : 1) : u;
  const opacity = scene.still ? fade(u) : 1;
  // There are hundreds in a frame: made in one piece, and new, so that it may be changed.
  const put = (shape: TokenShape, p: Point, line: string): Token => ({
    seq: e.seq,
    key,
    shape,
    deed,
    inferred,
    x: round(p.x),
    y: round(p.y),
    label,
    opacity,
    resting: t > at,
    refused: false,
    line,
  });
  switch (e.kind) {
    case "request":
      return requestToken(scene, e, t, put);
    case "etcd":
      return put("write", way(g, "etcd", () => g.toEtcd).at(k), "etcd");
    case "watch": {
      const { place, node } = lineOf(scene, e.to ?? "");
      if (place === "node" && !hasRoom(g, node)) return null;
      if (place === "apiserver" || place === "etcd") return null;
      return put(
        "watch",
        way(g, `watch ${place} ${node}`, () => g.fromWatch(place, node)).at(k),
        `watch ${place} ${node}`,
      );
    }
    case "schedule":
      return put(
        "decision",
        {
          x: g.scheduler.x + g.scheduler.w - 48,
          y: g.scheduler.y + 20,
        },
        "scheduler",
      );
    case "cri": {
      const { node } = lineOf(scene, e.verb === "ContainerExited" ? e.from : (e.to ?? e.from));
      const b: NodeBox | null | undefined = g.rooms.nodes[node];
      if (!b) return null;
      const kubelet = { x: b.kubelet.x + b.kubelet.w, y: b.kubelet.y + b.kubelet.h / 2 };
      const runtime = { x: b.runtime.x, y: b.runtime.y + b.runtime.h / 2 };
      if (e.verb === "ContainerExited") {
        const pod = scene.state.pods.get(e.object?.uid ?? "");
        const grid = tileGrid(b.pods, scene.state.crowd);
        const tile = pod && grid && tileAt(b.pods, grid, pod.slot);
        const from = { x: b.runtime.x + Math.min(20, b.runtime.w), y: b.runtime.y + b.runtime.h };
        const to = tile ? { x: tile.x + tile.w / 2, y: tile.y } : { x: runtime.x, y: b.pods.y };
        return put("cri", new Way([from, to]).at(k), `cri ${node}`);
      }
      const token = put("cri", new Way([kubelet, runtime]).at(k), `cri ${node}`);
      // Over the figures of the node, which do not change.
      if (b.grain === "full") token.word = { x: b.x + b.w - 8, y: b.y + 8 };
      return token;
    }
    default:
      return null;
  }
}

const ways = new WeakMap<Geometry, Map<string, Way>>();
/** Ways are made once for a layout. */
function way(g: Geometry, key: string, points: () => readonly Point[]): Way {
  let known = ways.get(g);
  if (!known) {
    known = new Map();
    ways.set(g, known);
  }
  let w = known.get(key);
  if (!w) {
    w = new Way(points());
    known.set(key, w);
  }
  return w;
}

/** Whether a node is drawn, or is one of those that are counted. */
function hasRoom(g: Geometry, node: number): boolean {
  return node >= 0 && Boolean(g.rooms.nodes[node] ?? g.rooms.rest);
}

/** Where in the hall a request turns round: before the first gate, at one, or between two. */
export function railPoint(g: Geometry, reach: number): Point {
  const centre = (i: number) => g.gates[i]!.x + g.gates[i]!.w / 2;
  if (reach < 0) return { x: g.door.x + (centre(0) - g.door.x) * (1 + reach), y: g.rail };
  const i = Math.min(4, Math.floor(reach));
  const j = Math.min(4, i + 1);
  return { x: centre(i) + (centre(j) - centre(i)) * (reach - i), y: g.rail };
}

const passages = new WeakMap<KubeEvent, { span: KubeEvent | undefined; passage: Passage }>();
/** A request's passage does not change, but for what its span adds when it comes. */
function passageFor(e: KubeEvent, span: KubeEvent | undefined): Passage {
  const known = passages.get(e);
  if (known && known.span === span) return known.passage;
  const passage = passageOf(e, span);
  passages.set(e, { span, passage });
  return passage;
}

function requestToken(
  scene: Scene,
  e: KubeEvent,
  t: number,
  put: (s: TokenShape, p: Point, line: string) => Token,
): Token | null {
  const { timeline: l, geometry: g } = scene;
  const { place, node } = lineOf(scene, e.from);
  if (place === "node" && !hasRoom(g, node)) return null;
  const inbound = way(g, `in ${place} ${node}`, () => g.toDoor(place, node));
  const passage = passageFor(e, scene.span?.(e.seq));
  const turn = railPoint(g, passage.reach);
  const line = `request ${place} ${node}`;
  const start = l.startOf(e.seq);
  const at = l.atOf(e.seq);
  const hop = l.pace.hop;
  if (t <= at) {
    const u = (t - start) / Math.max(1, at - start);
    if (scene.still) return put("request", u < 0.5 ? inbound.points[0]! : turn, line);
    const split = 1 / (1 + GATES);
    if (u < split) return put("request", inbound.at(u / split), line);
    const v = (u - split) / (1 - split);
    return put("request", { x: g.door.x + (turn.x - g.door.x) * v, y: g.rail }, line);
  }
  // The answer: all that is known of it is that the request ended so.
  const answer = passage.refused
    ? codeWords(e.code ?? 0)
    : e.verb === "watch"
      ? "watch open"
      : codeWords(e.code ?? 200);
  const leave = passage.refused ? at : at + (isRead(e) ? 0.1 : PUT + 0.1) * hop;
  if (t < leave) {
    const k = put("request", turn, line);
    k.resting = false;
    k.opacity = 1;
    return k;
  }
  const back = way(g, `out ${place} ${node} ${passage.reach}`, () => [turn, ...[...inbound.points].reverse()]);
  const u = Math.min(1, (t - leave) / (0.8 * hop));
  const k = put("response", scene.still ? back.points[back.points.length - 1]! : back.at(u), line);
  k.opacity = scene.still ? u : 1;
  k.label = answer;
  k.refused = passage.refused;
  k.resting = u >= 1;
  return k;
}
