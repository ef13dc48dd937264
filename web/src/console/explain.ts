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

  constructor(private readonly lang: string) {}

  fields(apiVersion: string, kind: string, path: readonly string[]): Promise<Field[]> {
    if (!/^[A-Za-z]\w*$/.test(kind) || path.some((p) => !/^\w+$/.test(p))) return Promise.resolve([]);
    const version = /^[\w./-]+$/.test(apiVersion) ? ` --api-version=${apiVersion}` : "";
    const command = `kubectl explain ${[kind.toLowerCase(), ...path].join(".")}${version}`;
    let answer = this.known.get(command);
    if (!answer) {
      answer = this.ask(command);
      this.known.set(command, answer);
      answer.then(
        (fields) => fields.length === 0 && this.known.delete(command),
        () => this.known.delete(command),
      );
    }
    return answer;
  }

  private async ask(command: string): Promise<Field[]> {
    let text = "";
    await postLines(
      "/api/kubectl",
      { command, lang: this.lang },
      (m) => {
        if (typeof m.data === "string" && m.stream !== "stderr") text += m.data;
      },
      new AbortController().signal,
    );
    return readFields(text);
  }
}
