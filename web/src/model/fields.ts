// An object as the lines of its YAML, each with the path of its field, so
// that two states of it can be laid side by side and a line can be asked who
// wrote it. Items of a list are named by what the API merges them by ("name",
// "type", …) where they have it, since their places may change.

export interface Line {
  /** "spec.containers[nginx].image" */
  path: string;
  text: string;
  /** Whether the line holds a value, and not only the name of what follows. */
  leaf: boolean;
}

const mergeKeys = ["type", "name", "uid", "key", "ip", "containerPort", "port", "mountPath", "topologyKey"];

export function yaml(value: unknown): Line[] {
  const out: Line[] = [];
  emit(out, value, "", 0);
  return out;
}

function emit(out: Line[], value: unknown, path: string, depth: number): void {
  const indent = "  ".repeat(depth);
  if (Array.isArray(value)) {
    const names = itemNames(value);
    value.forEach((item, i) => {
      const at = `${path}[${names[i]}]`;
      const from = out.length;
      if (isBranch(item)) emit(out, item, at, depth + 1);
      else scalarLines(out, item, at, `${indent}  `, "");
      const first = out[from];
      if (first) first.text = `${indent}- ${first.text.slice(indent.length + 2)}`;
    });
    return;
  }
  for (const [name, child] of Object.entries(value as Record<string, unknown>)) {
    const at = path ? `${path}.${name}` : name;
    const label = `${plainKey(name)}:`;
    if (!isBranch(child)) scalarLines(out, child, at, indent, `${label} `);
    else {
      out.push({ path: at, text: indent + label, leaf: false });
      emit(out, child, at, Array.isArray(child) ? depth : depth + 1);
    }
  }
}

function isBranch(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

function scalarLines(out: Line[], value: unknown, path: string, indent: string, label: string): void {
  if (typeof value === "string" && value.includes("\n")) {
    const lines = value.replace(/\n$/, "").split("\n");
    out.push({ path, text: `${indent}${label}${value.endsWith("\n") ? "|" : "|-"}`, leaf: true });
    lines.forEach((l, i) => {
      out.push({ path: `${path}#${i}`, text: `${indent}  ${l}`, leaf: true });
    });
  } else out.push({ path, text: indent + label + scalar(value), leaf: true });
}

function scalar(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value) ?? "null";
  const ambiguous =
    /^(true|false|null|yes|no|on|off|~|[-+]?(0x[\da-f]+|0o[0-7]+|(\d[\d_]*\.?\d*|\.\d+)(e[-+]?\d+)?|\.inf|\.nan))?$/i.test(
      value,
    );
  return ambiguous || /^[\s\-?:,[\]{}#&*!|>'"%@`]|: |\s#|[:\s]$/.test(value) ? JSON.stringify(value) : value;
}

function plainKey(name: string): string {
  return /^[\w./$-]+$/.test(name) ? name : JSON.stringify(name);
}

/** What the items of a list are called in a path. */
export function itemNames(items: readonly unknown[]): string[] {
  for (const key of mergeKeys) {
    const names = items.map((item) => (item as Record<string, unknown> | null)?.[key]);
    if (names.every((n) => typeof n === "string" || typeof n === "number") && new Set(names).size === items.length)
      return names.map(String);
  }
  return items.map((_, i) => String(i));
}

export interface Change extends Line {
  mark: " " | "+" | "-";
}

/** What changed from one state to the next, line by line, in the order of the newer. */
export function changes(was: readonly Line[], now: readonly Line[]): Change[] {
  const before = new Map(was.map((l) => [l.path, l]));
  const after = new Set(now.map((l) => l.path));
  // What is gone is told where it stood: behind the line that stood before it.
  const gone = new Map<string, Line[]>();
  let anchor = "";
  for (const l of was) {
    if (after.has(l.path)) anchor = l.path;
    else gone.set(anchor, [...(gone.get(anchor) ?? []), l]);
  }
  const out: Change[] = [];
  const tellGone = (path: string) => {
    for (const l of gone.get(path) ?? []) out.push({ ...l, mark: "-" });
  };
  tellGone("");
  for (const l of now) {
    const b = before.get(l.path);
    if (b && sameText(b, l)) out.push({ ...l, mark: " " });
    else {
      if (b) out.push({ ...b, mark: "-" });
      out.push({ ...l, mark: "+" });
    }
    tellGone(l.path);
  }
  return out;
}

/** The dash of a list's item belongs to the item, whichever of its fields comes first. */
function sameText(a: Line, b: Line): boolean {
  return a.text.replace("- ", "  ") === b.text.replace("- ", "  ");
}

/** A change with what stands around it: runs of unchanged lines longer than twice `around` are cut, and counted. */
export function excerpt(all: readonly Change[], around = 2): (Change | { skipped: number })[] {
  const near = all.map((_, i) => all.slice(Math.max(0, i - around), i + around + 1).some((c) => c.mark !== " "));
  const out: (Change | { skipped: number })[] = [];
  let skipped = 0;
  all.forEach((c, i) => {
    if (near[i]) {
      if (skipped) out.push({ skipped });
      skipped = 0;
      out.push(c);
    } else skipped++;
  });
  if (skipped) out.push({ skipped });
  return out;
}
