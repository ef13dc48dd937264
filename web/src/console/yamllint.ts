// What is wrong with a manifest while it is being written, by the cluster's own
// OpenAPI. It marks what the apiserver would refuse or drop; what it has no word
// about (values that depend on others, names that are taken) the dry run tells.
import type { SyntaxNode, Tree } from "@lezer/common";
import type { Lang } from "../app.ts";
import type { FieldTree } from "./explain.ts";

export interface Problem {
  from: number;
  to: number;
  message: string;
}

/** What a kind is made of; null when the cluster knows no such kind. */
export type Lookup = (apiVersion: string, kind: string) => Promise<ReadonlyMap<string, FieldTree> | null>;

const words = {
  syntax: ["This is not YAML.", "YAML 문법에 맞지 않습니다."],
  noKind: ["An object needs apiVersion and kind.", "오브젝트에는 apiVersion과 kind가 있어야 합니다."],
  unknownKind: ["The cluster knows no such kind: {}", "클러스터에 없는 종류입니다: {}"],
  unknown: ["There is no such field here: {}", "여기에는 없는 필드입니다: {}"],
  meant: ["There is no such field here: {}. It may be: {}", "여기에는 없는 필드입니다: {}. 혹시 이것인가요: {}"],
  missing: ["A required field is missing: {}", "필수 필드가 빠졌습니다: {}"],
  twice: ["The field is here twice: {}", "같은 필드가 두 번 있습니다: {}"],
  value: ["The value is to be one of: {}", "다음 중 하나여야 합니다: {}"],
  list: ["A list belongs here: lines that begin with - ", "여기에는 목록이 와야 합니다. -로 시작하는 줄로 쓰세요"],
  fields: ["Fields belong here, as in name: value", "여기에는 필드가 와야 합니다. 이름: 값처럼 쓰세요"],
  string: ["Text belongs here: put it into quotes", "여기에는 문자열이 와야 합니다. 따옴표로 감싸세요"],
  integer: ["A whole number belongs here, without quotes", "여기에는 정수가 와야 합니다. 따옴표 없이 쓰세요"],
  number: ["A number belongs here, without quotes", "여기에는 숫자가 와야 합니다. 따옴표 없이 쓰세요"],
  boolean: ["true or false belongs here, without quotes", "여기에는 true나 false가 와야 합니다. 따옴표 없이 쓰세요"],
  single: ["A single value belongs here", "여기에는 값 하나가 와야 합니다"],
} satisfies Record<string, [en: string, ko: string]>;

/** Finds the problems of all documents of a text. */
export async function lint(tree: Tree, text: string, lookup: Lookup, lang: Lang): Promise<Problem[]> {
  const check = new Check(text, lang);
  const cursor = tree.cursor();
  do if (cursor.type.isError) check.report("syntax", cursor.from, cursor.to);
  while (cursor.next());
  if (check.problems.length > 0) return check.problems.slice(0, 1); // what follows a slip is guesswork
  for (const document of tree.topNode.getChildren("Document")) {
    const top = document.getChild("BlockMapping") ?? document.getChild("FlowMapping");
    if (!top) continue;
    const [apiVersion, kind] = ["apiVersion", "kind"].map((name) => check.plain(check.pairs(top).get(name)?.value));
    if (!apiVersion || !kind) check.report("noKind", top.from, check.endOfLine(top.from));
    else if (!kind.endsWith("List")) {
      const fields = await lookup(apiVersion, kind);
      const at = check.pairs(top).get("kind")!.value!;
      if (fields) check.mapping(top, fields, top.from);
      else check.report("unknownKind", at.from, at.to, `${kind} (${apiVersion})`);
    }
  }
  return check.problems;
}

interface Pair {
  key: SyntaxNode;
  value: SyntaxNode | null;
}

class Check {
  readonly problems: Problem[] = [];

  constructor(
    private readonly text: string,
    private readonly lang: Lang,
  ) {}

  report(what: keyof typeof words, from: number, to: number, ...about: string[]): void {
    let message: string = words[what][this.lang === "ko" ? 1 : 0];
    for (const a of about) message = message.replace("{}", a);
    this.problems.push({ from, to: Math.max(to, from + 1), message });
  }

  of(node: SyntaxNode): string {
    return this.text.slice(node.from, node.to);
  }

  /** A scalar's text, without quotes; undefined for what is none. */
  plain(node: SyntaxNode | null | undefined): string | undefined {
    if (node?.name === "Literal") return this.of(node);
    if (node?.name === "QuotedLiteral") return this.of(node).slice(1, -1);
    return undefined;
  }

  /** Where a node is to be seen: those of several lines begin right behind what is before them. */
  private start(node: SyntaxNode): number {
    return node.from + this.of(node).search(/\S|$/);
  }

  endOfLine(from: number): number {
    const end = this.text.indexOf("\n", from);
    return end < 0 ? this.text.length : end;
  }

  /** The fields of a mapping by name; of one that is there twice, the first. */
  pairs(mapping: SyntaxNode): Map<string, Pair> {
    const out = new Map<string, Pair>();
    for (const pair of mapping.getChildren("Pair")) {
      const key = pair.getChild("Key");
      const name = this.plain(key?.firstChild);
      if (!key || name === undefined) continue;
      if (out.has(name)) this.once("twice", key, name);
      else out.set(name, { key, value: valueAfter(key) });
    }
    return out;
  }

  private once(what: keyof typeof words, node: SyntaxNode, about: string): void {
    if (!this.problems.some((p) => p.from === node.from)) this.report(what, node.from, node.to, about);
  }

  mapping(node: SyntaxNode, fields: ReadonlyMap<string, FieldTree>, owner: number): void {
    const pairs = this.pairs(node);
    for (const [name, { key, value }] of pairs) {
      const field = fields.get(name);
      if (field) this.value(value, field, field.type, key.from);
      else {
        const like = [...fields.keys()].find((f) => alike(f, name));
        if (like) this.report("meant", key.from, key.to, name, like);
        else this.report("unknown", key.from, key.to, name);
      }
    }
    for (const [name, field] of fields)
      if (field.required && !pairs.has(name)) this.report("missing", owner, this.endOfLine(owner), name);
  }

  private value(node: SyntaxNode | null, field: FieldTree, type: string, owner: number): void {
    if (!node || isOpaque(node) || /^(null|~)$/.test(this.of(node))) return; // nothing is as good as absent
    const start = this.start(node);
    const wrong = (what: keyof typeof words) => this.report(what, start, this.endOfLine(start));
    if (type.startsWith("[]")) {
      if (!node.name.endsWith("Sequence")) wrong("list");
      else
        for (const item of node.getChildren("Item")) {
          const value = [...children(item)].find((n) => n.name !== "-" && n.name !== "Comment");
          if (value) this.value(value, field, type.slice(2), this.start(value));
        }
    } else if (type.startsWith("map[string]")) {
      if (!node.name.endsWith("Mapping")) wrong("fields");
      else for (const { key, value } of this.pairs(node).values()) this.value(value, field, type.slice(11), key.from);
    } else if (field.fields.size > 0) {
      if (node.name.endsWith("Mapping")) this.mapping(node, field.fields, owner);
      else wrong("fields");
    } else if (/^(string|integer|number|boolean)$/.test(type)) {
      const scalar = this.plain(node);
      if (scalar === undefined && node.name !== "BlockLiteral") wrong("single");
      else if (!fits(type, node.name === "Literal" ? scalar : undefined)) wrong(type as "string");
      else if (field.values.length > 0 && field.allValues && !field.values.includes(scalar ?? "")) {
        this.report("value", node.from, node.to, field.values.join(", "));
      }
    } // any other type is one the schema does not open: Quantity, IntOrString, a field of free form
  }
}

/** Whether a plain scalar, as YAML reads it, is of a type; undefined is text in quotes or a block. */
function fits(type: string, plain: string | undefined): boolean {
  const number = plain !== undefined && /^[-+]?(\d[\d_]*(\.\d*)?|\.\d+)(e[-+]?\d+)?$/i.test(plain);
  switch (type) {
    case "integer":
      return plain !== undefined && /^[-+]?\d+$/.test(plain);
    case "number":
      return number;
    case "boolean":
      return plain !== undefined && /^(true|false|True|False|TRUE|FALSE)$/.test(plain);
    default:
      return plain === undefined || !(number || /^(true|false)$/i.test(plain));
  }
}

/** A slip of the keyboard: another case, one letter more, less, other or swapped with the next. */
function alike(a: string, b: string): boolean {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  if (x === y) return true;
  if (Math.abs(x.length - y.length) > 1 || x.length < 3) return false;
  let i = 0;
  while (i < x.length && x[i] === y[i]) i++;
  const [p, q] = [x.slice(i), y.slice(i)];
  return (
    p.slice(1) === q ||
    p === q.slice(1) ||
    p.slice(1) === q.slice(1) ||
    (p[0] === q[1] && p[1] === q[0] && p.slice(2) === q.slice(2))
  );
}

function* children(node: SyntaxNode): Generator<SyntaxNode> {
  for (let child = node.firstChild; child; child = child.nextSibling) yield child;
}

function valueAfter(key: SyntaxNode): SyntaxNode | null {
  let next = key.nextSibling;
  while (next && (next.name === ":" || next.name === "Comment")) next = next.nextSibling;
  return next;
}

/** What stands for something written elsewhere. */
function isOpaque(node: SyntaxNode): boolean {
  return node.name === "Alias" || node.name === "Anchored" || node.name === "Tagged";
}
