// What a note has from a command, beside what the command says now. A table of
// kubectl's is compared by its objects and columns, anything else line by line.
import { diffArrays } from "diff";

export interface Cell {
  old?: string;
  now?: string;
}

export type RowState = "same" | "changed" | "gone" | "new";

export type Comparison =
  | { kind: "table"; columns: string[]; rows: { state: RowState; cells: Cell[] }[] }
  | { kind: "lines"; lines: { state: "same" | "gone" | "new"; text: string }[] };

export function compare(then: string, now: string): Comparison {
  const [before, after] = [readTable(then), readTable(now)];
  if (before && after) return compareTables(before, after);
  const state = (part: { added: boolean; removed: boolean }) => (part.removed ? "gone" : part.added ? "new" : "same");
  return {
    kind: "lines",
    lines: diffArrays(lines(then), lines(now)).flatMap((part) =>
      part.value.map((text) => ({ state: state(part), text }) as const),
    ),
  };
}

interface Table {
  columns: string[];
  rows: Map<string, string[]>;
}

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((l) => l.trimEnd())
    .filter((l) => l.trim() !== "");
}

/** A line of names in capitals, and below it a line an object; undefined when it is no such table. */
function readTable(text: string): Table | undefined {
  const [head, ...body] = lines(text).map((l) => l.trim().split(/\s{2,}|\t/));
  if (!head?.includes("NAME") || head.some((name) => !/^[A-Z][A-Z0-9 ()/-]*$/.test(name))) return undefined;
  if (body.some((row) => row.length !== head.length)) return undefined;
  const named = [head.indexOf("NAMESPACE"), head.indexOf("NAME")];
  return { columns: head, rows: new Map(body.map((row) => [named.map((i) => row[i] ?? "").join("/"), row])) };
}

/** Rows stand as they did then; what is new comes behind. Ages differ always, and make no row another. */
function compareTables(before: Table, after: Table): Comparison {
  const columns = [...new Set([...before.columns, ...after.columns])];
  const rows = [...new Set([...before.rows.keys(), ...after.rows.keys()])].map((key) => {
    const [then, now] = [before.rows.get(key), after.rows.get(key)];
    const cells = columns.map((name): Cell => {
      const cell: Cell = {};
      const [old, current] = [then?.[before.columns.indexOf(name)], now?.[after.columns.indexOf(name)]];
      if (old !== undefined) cell.old = old;
      if (current !== undefined) cell.now = current;
      return cell;
    });
    const differs = cells.some((c, i) => columns[i] !== "AGE" && c.old !== c.now);
    const state: RowState = !then ? "new" : !now ? "gone" : differs ? "changed" : "same";
    return { state, cells };
  });
  return { kind: "table", columns, rows };
}
