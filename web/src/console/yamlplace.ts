// Where in a manifest the cursor is: in which object, below which fields, and
// what is there already. It reads lines and their indentation, since what is
// being typed is no valid YAML yet.

export interface YamlPlace {
  apiVersion: string;
  kind: string;
  /** The fields above, from the outermost: ["spec", "template"]. */
  path: string[];
  /** Fields that stand beside the cursor already. */
  beside: string[];
  /** The field whose value is typed; empty when a field's name is. */
  valueOf: string;
  /** What of it is typed, and where that begins in the text. */
  typed: string;
  from: number;
}

const line = /^(\s*)((?:- +)*)([\w./-]*)(:?)(\s*)(.*)$/;

interface Read {
  indent: number;
  name: string;
  named: boolean;
  value: string;
}

function read(text: string): Read | null {
  if (/^\s*(#|$)/.test(text)) return null;
  const m = line.exec(text);
  if (!m) return null;
  return { indent: m[1]!.length + m[2]!.length, name: m[3]!, named: m[4] === ":", value: m[6]! };
}

/** The place of the cursor; null where nothing can be completed. */
export function yamlPlace(text: string, cursor: number): YamlPlace | null {
  const before = text.slice(0, cursor);
  const lines = text.split("\n");
  const at = before.split("\n").length - 1;
  const lineStart = before.lastIndexOf("\n") + 1;
  const now = before.slice(lineStart);
  if (/^\s*#/.test(now)) return null;

  let first = at;
  while (first > 0 && !/^---/.test(lines[first - 1]!)) first--;
  let last = at;
  while (last + 1 < lines.length && !/^---/.test(lines[last + 1]!)) last++;
  const top = (name: string) => {
    for (let i = first; i <= last; i++) {
      const m = new RegExp(`^${name}:\\s*["']?([\\w./-]+)`).exec(lines[i]!);
      if (m) return m[1]!;
    }
    return "";
  };

  const here = /^(\s*)((?:- +)*)(.*)$/.exec(now)!;
  const indent = here[1]!.length + here[2]!.length;
  const rest = here[3]!;
  const value = /^([\w./-]+):\s+(\S*)$/.exec(rest);
  const typed = value ? value[2]! : rest;
  if (!value && !/^[\w./-]*$/.test(rest)) return null;

  const path: string[] = [];
  let depth = indent;
  for (let i = at - 1; i >= first && depth > 0; i--) {
    const r = read(lines[i]!);
    if (!r?.named || r.indent >= depth) continue;
    if (r.value === "") path.unshift(r.name);
    depth = r.indent;
  }

  const beside: string[] = [];
  for (const step of [-1, 1]) {
    for (let i = at + step; i >= first && i <= last; i += step) {
      const r = read(lines[i]!);
      if (!r) continue;
      if (r.indent < indent) break;
      if (r.indent === indent && r.named) beside.push(r.name);
      if (/^\s*- /.test(lines[i]!) && r.indent === indent) break;
    }
  }
  return {
    apiVersion: top("apiVersion"),
    kind: top("kind"),
    path,
    beside,
    valueOf: value ? value[1]! : "",
    typed,
    from: cursor - typed.length,
  };
}
