// Every state of the page has an address: what the playhead is at, which
// story, view and object one looks at, and how fast. What is usual is left out.
import type { Selection } from "./app.ts";
import { normalSpeed, speeds } from "./player/display.ts";
import { readZoom } from "./stage/zoom.ts";
import { isView, type ViewName } from "./view/view.ts";

export interface Place {
  /** The event at the playhead; null when the view follows the cluster. */
  at: number | null;
  /** The ID of the log that numbers are of. */
  log: string;
  view: ViewName;
  /** The root of the chosen story, and of the one it is compared with; 0 for none. */
  story: number;
  compared: number;
  focus: Selection | null;
  /** What is open on the stage; "" for the whole picture. */
  open: string;
  speed: number;
  theme: string;
}

export function readPlace(search: string, hash: string): Place {
  const q = new URLSearchParams(search);
  const moment = /^#at=(\d+)(?:&log=(\w+))?$/.exec(hash);
  const view = q.get("view") ?? "";
  const slow = Number(/^1\/(\d+)$/.exec(q.get("speed") ?? "")?.[1] ?? (q.get("speed") === "1" ? 1 : 0));
  return {
    at: moment ? Number(moment[1]) : null,
    log: moment?.[2] ?? "",
    view: isView(view) ? view : "stage",
    story: number(q.get("story")),
    compared: number(q.get("with")),
    focus: readFocus(q.get("focus") ?? ""),
    open: readZoom(q.get("open")) ? q.get("open")! : "",
    speed: speeds.find((s) => Math.round(1 / s) === slow) ?? normalSpeed,
    theme: q.get("theme") ?? "",
  };
}

/** The query and the hash of a place, with what else the query holds ("recording") left as it is. */
export function writePlace(p: Place, search: string): { search: string; hash: string } {
  const q = new URLSearchParams(search);
  const set = (name: string, value: string) => {
    if (value) q.set(name, value);
    else q.delete(name);
  };
  set("view", p.view === "stage" ? "" : p.view);
  set("story", p.story ? String(p.story) : "");
  set("with", p.compared ? String(p.compared) : "");
  set("focus", p.focus ? focusText(p.focus) : "");
  set("open", p.open);
  set("speed", p.speed === normalSpeed ? "" : p.speed === 1 ? "1" : `1/${Math.round(1 / p.speed)}`);
  set("theme", p.theme);
  const text = q.toString().replace(/%2F/g, "/").replace(/%3A/g, ":");
  return {
    search: text ? `?${text}` : "",
    hash: p.at !== null && p.log ? `#at=${p.at}&log=${p.log}` : "",
  };
}

function number(text: string | null): number {
  return text && /^\d+$/.test(text) ? Number(text) : 0;
}

function focusText(s: Selection): string {
  return s.type === "event" ? `event:${s.seq}` : s.type === "object" ? `object:${s.key}` : `part:${s.id}`;
}

function readFocus(text: string): Selection | null {
  const [, type, what] = /^(event|object|part):(.+)$/.exec(text) ?? [];
  if (!what) return null;
  if (type === "event") return /^\d+$/.test(what) ? { type, seq: Number(what) } : null;
  return type === "object" ? { type, key: what } : { type: "part", id: what };
}
