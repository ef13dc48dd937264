// Who wrote each field of an object: the last write that changed it, and who
// asked for that. It rests on etcd's own account of every write and on the
// request each names as its cause, not on managedFields, which the log leaves
// out of its values.
import type { KubeEvent } from "../wire/event.ts";
import { itemNames, type Line, yaml } from "./fields.ts";
import { isGone } from "./ledger.ts";
import { pluginsOf, stepsOf } from "./span.ts";

export interface Write {
  /** The etcd event, or the notification that told of it. */
  event: KubeEvent;
  /** Who asked; empty when it was stored before the log began. */
  by: string;
  agent: string;
  subresource: string;
  inferred: boolean;
  /** What in the kube-apiserver filled a field in, when it was not who asked: "" for the kube-apiserver itself, or an admission plug-in. */
  part?: string;
}

export interface Authored {
  lines: Line[];
  by: Map<string, Write>;
  writes: Write[];
  gone: boolean;
}

/** The object after the last of its writes, and the write each of its fields is from. */
export function authored(
  writes: readonly KubeEvent[],
  event: (seq: number) => KubeEvent | undefined,
  span: (request: number) => KubeEvent | undefined,
): Authored {
  const told: Write[] = [];
  let by = new Map<string, Write>();
  let was = new Map<string, string>();
  let lines: Line[] = [];
  for (const e of writes) {
    const request = (e.causes ?? []).map((c) => event(c.seq)).find((c) => c?.kind === "request");
    const write: Write = {
      event: e,
      by: request?.from ?? "",
      agent: typeof request?.detail?.userAgent === "string" ? request.detail.userAgent : "",
      subresource: request?.object?.subresource ?? "",
      inferred: request?.evidence.how === "inferred",
    };
    told.push(write);
    if (isGone(e)) continue; // a deletion tells the last value again
    lines = yaml(e.detail?.value ?? {});
    const now = new Map<string, string>();
    const next = new Map<string, Write>();
    const filledBy = request && filler(request, e, span(request.seq));
    for (const l of lines) {
      if (!l.leaf) continue;
      const text = l.text.trim();
      now.set(l.path, text);
      const before = by.get(l.path);
      if (before && was.get(l.path)?.replace(/^- /, "") === text.replace(/^- /, "")) next.set(l.path, before);
      else {
        const part = filledBy?.(l.path) ?? (ownFields.has(l.path) ? "" : undefined);
        next.set(l.path, part === undefined ? write : { ...write, part });
      }
    }
    by = next;
    was = now;
  }
  return { lines, by, writes: told, gone: writes.length > 0 && isGone(writes[writes.length - 1]!) };
}

/** Fields the kube-apiserver sets whatever is asked. */
const ownFields = new Set([
  "metadata.uid",
  "metadata.creationTimestamp",
  "metadata.generation",
  "metadata.resourceVersion",
  "metadata.deletionTimestamp",
]);

/**
 * What was not in the request's body was filled in on the way: by an admission
 * plug-in that says so, or, of a creation, by the kube-apiserver itself.
 * Defaults are in that body already: the audit log writes a request down after
 * it was decoded, and decoding sets them.
 */
function filler(request: KubeEvent, stored: KubeEvent, span: KubeEvent | undefined) {
  const body = request.detail?.request;
  if (typeof body !== "object" || body === null) return null;
  const creates = request.verb === "create" && !request.object?.subresource;
  const asked = new Set(yaml(body).map((l) => l.path));
  const plugins = stepsOf(span)
    .flatMap(pluginsOf)
    .flatMap((p) => (p.changed ?? []).map((path) => [named(path, stored.detail?.value), p.plugin] as const));
  return (path: string): string | undefined => {
    const plugin = plugins.findLast(([at]) => path === at || path.startsWith(`${at}.`) || path.startsWith(`${at}[`));
    if (asked.has(path)) return undefined;
    if (plugin) return plugin[1];
    return !creates || path === "apiVersion" || path === "kind" ? undefined : "";
  };
}

/** A plug-in's path, whose list items are numbered, as ours, whose items have names. */
function named(path: string, value: unknown): string {
  let at: unknown = value;
  let out = "";
  for (const part of path.split(/\.|(?=\[)/)) {
    const index = /^\[(\d+)\]$/.exec(part)?.[1];
    if (index === undefined) {
      at = (at as Record<string, unknown> | undefined)?.[part];
      out += out ? `.${part}` : part;
      continue;
    }
    const items = Array.isArray(at) ? (at as unknown[]) : [];
    out += `[${itemNames(items)[Number(index)] ?? index}]`;
    at = items[Number(index)];
  }
  return out;
}
