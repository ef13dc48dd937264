// A story as a sequence diagram: a life line for each actor, a row for each
// event. Actors stand in the order in which they come on stage, so that none
// moves when another comes.
import type { Lang } from "../app.ts";
import { componentName } from "../i18n/captions.ts";
import { actorName, codeWords } from "../i18n/words.ts";
import { actorOf } from "../model/actor.ts";
import type { Story } from "../model/story.ts";
import { deedOf, labelOf } from "../stage/tokens.ts";
import type { KubeEvent } from "../wire/event.ts";
import { instant } from "../wire/instant.ts";

export interface LifeLine {
  id: string;
  name: string;
  /** The same in one line or two. */
  written: string[];
}

export interface Row {
  seq: number;
  /** Life lines by number; the same twice when it concerns nobody else. */
  from: number;
  to: number;
  label: string;
  /** Real milliseconds after the story began. */
  after: number;
  kind: string;
  deed: string;
  refused: boolean;
  inferred: boolean;
}

export interface Sequence {
  lines: LifeLine[];
  rows: Row[];
}

/** The sequence of a story until an event. */
export function sequenceOf(
  lang: Lang,
  story: Story,
  until: number,
  event: (seq: number) => KubeEvent | undefined,
): Sequence {
  const lines: LifeLine[] = [];
  const places = new Map<string, number>();
  const place = (id: string, agent = ""): number => {
    const a = actorOf(id);
    const key = `${a.role} ${a.name} ${a.node ?? ""}`;
    let at = places.get(key);
    if (at === undefined) {
      at = lines.length;
      places.set(key, at);
      const written = shortName(lang, id, agent);
      lines.push({ id, name: written.join(written[0]?.endsWith("-") ? "" : " "), written });
    }
    return at;
  };
  const rows: Row[] = [];
  for (const seq of story.events) {
    if (seq > until) break;
    const e = event(seq);
    if (!e) continue;
    const agent = typeof e.detail?.userAgent === "string" ? e.detail.userAgent : "";
    const from = place(e.from, e.kind === "request" ? agent : "");
    rows.push({
      seq,
      from,
      to: e.to ? place(e.to, e.kind === "watch" ? agent : "") : from,
      label: rowLabel(e),
      after: Math.max(0, instant(e.start) - story.from),
      kind: e.kind,
      deed: deedOf(e),
      refused: refused(e),
      inferred: e.evidence.how === "inferred",
    });
  }
  return { lines, rows };
}

function refused(e: KubeEvent): boolean {
  if (e.kind === "request") return (e.code ?? 0) >= 400;
  return e.kind === "cri" ? (e.code ?? 0) > 0 || Boolean(e.detail?.error) : e.detail?.result === "unschedulable";
}

function shortName(lang: Lang, id: string, agent: string): string[] {
  const a = actorOf(id);
  switch (a.role) {
    case "kubelet":
    case "runtime":
      return [a.name, a.node ?? ""];
    case "controllers":
      return a.name.endsWith("-controller") ? [a.name.replace(/-controller$/, ""), "controller"] : halves(a.name);
    case "person":
      return [actorName(lang, a, agent)];
    default:
      return a.name.length > 13 ? halves(a.name) : [a.name];
  }
}

/** A long name in two lines, broken behind the hyphen that is nearest to its middle. */
function halves(name: string): string[] {
  const cuts = [...name.matchAll(/-/g)].map((m) => m.index + 1);
  const at = cuts.sort((a, b) => Math.abs(a - name.length / 2) - Math.abs(b - name.length / 2))[0];
  return at ? [name.slice(0, at), name.slice(at)] : [name];
}

function rowLabel(e: KubeEvent): string {
  const label = labelOf(e);
  switch (e.kind) {
    case "request":
      return e.code && e.code >= 400 ? `${label} ✕ ${codeWords(e.code)}` : label;
    case "schedule":
      return e.detail?.node ? `→ ${e.detail.node}` : `✕ ${e.detail?.result ?? e.verb}`;
    case "cri":
      return e.detail?.containerName ? `${e.verb} ${e.detail.containerName}` : e.verb;
    case "component":
      return e.verb;
    case "link":
      return `${e.verb}: ${componentName("en", String(e.detail?.link ?? e.to ?? ""))}`;
    case "net":
      return `${e.verb} ${e.detail?.target ?? e.detail?.name ?? ""}`;
    default:
      return label || `${e.kind} ${e.verb}`;
  }
}

/** The same as the text of a Mermaid diagram. */
export function mermaid(s: Sequence, title: string): string {
  const clean = (text: string) => text.replace(/[;#]/g, " ").replace(/\s+/g, " ").trim();
  const out = ["---", `title: ${JSON.stringify(title)}`, "---", "sequenceDiagram"];
  s.lines.forEach((l, i) => {
    out.push(`  participant a${i} as ${clean(l.name)}`);
  });
  for (const r of s.rows) {
    const arrow = r.refused ? "-x" : r.kind === "watch" ? "-->>" : "->>";
    out.push(`  a${r.from}${arrow}a${r.to}: ${clean(r.label)}`);
  }
  return `${out.join("\n")}\n`;
}
