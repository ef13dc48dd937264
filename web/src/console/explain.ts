// What the cluster says of the fields of a kind, from its own OpenAPI, as
// kubectl explain tells it.
import { postLines } from "./stream.ts";

export interface Field {
  name: string;
  type: string;
  required: boolean;
  /** The values it may have, when they are few. */
  values: string[];
  says: string;
}

/** A field with those below it, as kubectl explain --recursive tells them. */
export interface FieldTree {
  type: string;
  required: boolean;
  values: string[];
  /** Whether values are all of them: explain names no more than four of a list. */
  allValues: boolean;
  /** Empty for what has a single value, and for what the schema does not open. */
  fields: Map<string, FieldTree>;
}

/** Reads the answer of kubectl explain --recursive. */
export function readTree(answer: string): Map<string, FieldTree> {
  const top = new Map<string, FieldTree>();
  const open = [top]; // by level
  let last: FieldTree | undefined;
  for (const line of answer.slice(answer.indexOf("\nFIELDS:\n") + 9).split("\n")) {
    const field = /^((?: {2})+)(\S+)\t<([^>]+)>( -required-)?$/.exec(line);
    if (field) {
      const level = field[1]!.length / 2;
      last = { type: field[3]!, required: Boolean(field[4]), values: [], allValues: true, fields: new Map() };
      open[level - 1]?.set(field[2]!, last);
      open[level] = last.fields;
    } else if (last && /^ *enum: /.test(line)) {
      const values = line.slice(line.indexOf("enum: ") + 6).split(", ");
      last.allValues = values.at(-1) !== "....";
      last.values = (last.allValues ? values : values.slice(0, -1)).map((v) => (v === '""' ? "" : v));
    }
  }
  return top;
}

/** Reads the answer of kubectl explain: its list of fields. */
export function readFields(answer: string): Field[] {
  const out: Field[] = [];
  let inside = false;
  for (const line of answer.split("\n")) {
    if (/^FIELDS:/.test(line)) inside = true;
    if (!inside) continue;
    const field = /^ {2}(\S+)\t<([^>]+)>( -required-)?$/.exec(line);
    const last = out[out.length - 1];
    if (field) out.push({ name: field[1]!, type: field[2]!, required: Boolean(field[3]), values: [], says: "" });
    else if (last && /^ {2}enum: /.test(line)) {
      last.values = line
        .slice(8)
        .split(",")
        .map((v) => v.trim().replace(/^"|"$/g, ""))
        .filter((v) => v && !/^\.+$/.test(v));
    } else if (last && /^ {4}\S/.test(line)) last.says += `${last.says ? " " : ""}${line.trim()}`;
  }
  return out;
}

/** Asks once for each kind and path; an answer that failed is asked for again. */
export class Explain {
  private known = new Map<string, Promise<Field[]>>();
  private kinds = new Map<string, Promise<Map<string, FieldTree> | null>>();

  constructor(private readonly lang: string) {}

  fields(apiVersion: string, kind: string, path: readonly string[]): Promise<Field[]> {
    if (!/^[A-Za-z]\w*$/.test(kind) || path.some((p) => !/^\w+$/.test(p))) return Promise.resolve([]);
    const version = /^[\w./-]+$/.test(apiVersion) ? ` --api-version=${apiVersion}` : "";
    const command = `kubectl explain ${[kind.toLowerCase(), ...path].join(".")}${version}`;
    let answer = this.known.get(command);
    if (!answer) {
      answer = this.ask(command).then((a) => (a.exit === 0 ? readFields(a.text) : []));
      this.known.set(command, answer);
      answer.then(
        (fields) => fields.length === 0 && this.known.delete(command),
        () => this.known.delete(command),
      );
    }
    return answer;
  }

  /** All that a kind is made of; null when the cluster knows no such kind. */
  kind(apiVersion: string, kind: string): Promise<Map<string, FieldTree> | null> {
    if (!/^[A-Za-z]\w*$/.test(kind) || !/^[\w./-]+$/.test(apiVersion)) return Promise.resolve(null);
    const command = `kubectl explain ${kind.toLowerCase()} --api-version=${apiVersion} --recursive`;
    let answer = this.kinds.get(command);
    if (!answer) {
      answer = this.ask(command).then((a) => (a.exit === 0 ? readTree(a.text) : null));
      this.kinds.set(command, answer);
      // A kind may come later, with its CustomResourceDefinition.
      answer.then(
        (fields) => fields || this.kinds.delete(command),
        () => this.kinds.delete(command),
      );
    }
    return answer;
  }

  private async ask(command: string): Promise<{ text: string; exit: number | undefined }> {
    let text = "";
    let exit: number | undefined;
    await postLines("/api/kubectl", { command, lang: this.lang }, (m) => {
      if (typeof m.data === "string" && m.stream !== "stderr") text += m.data;
      if (typeof m.exit === "number") exit = m.exit;
    });
    return { text, exit };
  }
}
