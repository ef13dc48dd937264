// What is drawn, as plain values: a tree of elements that can be compared,
// turned into text for tests, or brought into the page. Elements are reused
// by key, or else by position, so that nothing is created while tokens move.

export type Child = VNode | string | null | undefined | false;
export interface VNode {
  tag: string;
  key: string | null;
  attrs: Record<string, string | number>;
  children: (VNode | string)[];
}

export function h(tag: string, attrs: Record<string, unknown> | null, ...children: (Child | Child[])[]): VNode {
  let key: string | null = null;
  const out: Record<string, string | number> = {};
  for (const name in attrs) {
    const value = attrs[name];
    if (value === undefined || value === null || value === false) continue;
    if (name === "key") key = String(value);
    else if (typeof value === "number") out[name] = round(value);
    else out[name] = value === true ? "" : String(value);
  }
  const flat: (VNode | string)[] = [];
  for (const c of children) {
    if (Array.isArray(c)) {
      for (const d of c) if (d) flat.push(d);
    } else if (c) flat.push(c);
  }
  return { tag, key, attrs: out, children: flat };
}

/** A tenth of a pixel is all that can be seen, and keeps texts comparable. */
export function round(n: number): number {
  return Math.round(n * 10) / 10;
}

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (s: string) => s.replace(/[&<>"]/g, (c) => escapes[c]!);

export function toText(n: VNode | string, indent = ""): string {
  if (typeof n === "string") return indent + escaped(n);
  const attrs = Object.entries(n.attrs)
    .map(([k, v]) => ` ${k}="${escaped(String(v))}"`)
    .join("");
  if (n.children.length === 0) return `${indent}<${n.tag}${attrs}/>`;
  if (n.children.every((c) => typeof c === "string")) {
    return `${indent}<${n.tag}${attrs}>${n.children.map((c) => escaped(c as string)).join("")}</${n.tag}>`;
  }
  const inner = n.children.map((c) => toText(c, `${indent} `)).join("\n");
  return `${indent}<${n.tag}${attrs}>\n${inner}\n${indent}</${n.tag}>`;
}

const SVG = "http://www.w3.org/2000/svg";

/** An element that has children, by their keys if they have any. */
interface Parent {
  dom: Element | Text;
  children: Drawn[];
  keyed: Map<string, Drawn> | null;
}

interface Drawn extends Parent {
  vnode: VNode | string;
  /** Its place among its parent's children when they were drawn last; -1 when it is new. */
  place: number;
  /** When it was drawn last among its parent's children. */
  turn: number;
}

/** A part of the page that is drawn from a tree. */
export class Drawing {
  private readonly root: Parent;
  private turn = 0;

  constructor(
    root: Element,
    private readonly namespace: string = SVG,
  ) {
    this.root = { dom: root, children: [], keyed: null };
  }

  draw(...nodes: VNode[]): void {
    this.patchChildren(this.root, nodes);
  }

  private make(n: VNode | string): Drawn {
    const made = { vnode: n, children: [], keyed: null, place: -1, turn: 0 };
    if (typeof n === "string") return { ...made, dom: document.createTextNode(n) };
    const dom = document.createElementNS(this.namespace, n.tag);
    for (const name in n.attrs) dom.setAttribute(name, String(n.attrs[name]));
    const d: Drawn = { ...made, dom };
    this.patchChildren(d, n.children);
    return d;
  }

  private patch(d: Drawn, n: VNode | string): void {
    const was = d.vnode;
    if (was === n) return;
    d.vnode = n;
    if (typeof n === "string" || typeof was === "string") {
      (d.dom as Text).data = n as string;
      return;
    }
    const dom = d.dom as Element;
    for (const name in n.attrs) if (was.attrs[name] !== n.attrs[name]) dom.setAttribute(name, String(n.attrs[name]));
    for (const name in was.attrs) if (!(name in n.attrs)) dom.removeAttribute(name);
    if (was.children !== n.children) this.patchChildren(d, n.children);
  }

  private patchChildren(parent: Parent, nodes: readonly (VNode | string)[]): void {
    const was = parent.children;
    // Mostly the same children are there in the same order.
    if (was.length === nodes.length && was.every((d, i) => same(d.vnode, nodes[i]!))) {
      for (let i = 0; i < nodes.length; i++) this.patch(was[i]!, nodes[i]!);
      return;
    }
    const turn = ++this.turn;
    const now: Drawn[] = [];
    let kept = 0;
    let rising = true;
    let before = -1;
    for (const n of nodes) {
      const key = keyOf(n);
      let d = key === null ? loose(was, n, turn) : parent.keyed?.get(key);
      if (d && d.turn !== turn && same(d.vnode, n)) {
        this.patch(d, n);
        kept++;
        if (d.place < before) rising = false;
        before = d.place;
      } else {
        d = this.make(n);
        if (key !== null) {
          parent.keyed ??= new Map();
          parent.keyed.set(key, d);
        }
      }
      d.turn = turn;
      now.push(d);
    }
    if (kept < was.length) for (const d of was) if (d.turn !== turn) this.leave(parent, d);
    // Moving an element costs as much as making it: as many as possible stay where they are.
    const staying = rising ? null : inOrder(now);
    let last: Node | null = null;
    for (let i = 0; i < now.length; i++) {
      const d = now[i]!;
      if (d.place < 0 || (staying && !staying.has(d)))
        parent.dom.insertBefore(d.dom, last ? last.nextSibling : parent.dom.firstChild);
      last = d.dom;
      d.place = i;
    }
    parent.children = now;
  }

  private leave(parent: Parent, d: Drawn): void {
    d.dom.remove();
    const key = keyOf(d.vnode);
    if (key !== null && parent.keyed?.get(key) === d) parent.keyed.delete(key);
  }
}

/** What has no key is found again as the first of its kind. */
function loose(was: readonly Drawn[], n: VNode | string, turn: number): Drawn | undefined {
  return was.find((d) => d.turn !== turn && same(d.vnode, n));
}

/** Those of the children that stand in a rising row already: of all such rows the longest. */
function inOrder(now: readonly Drawn[]): Set<Drawn> {
  // ends[n] ends the row of n + 1 whose end is the lowest.
  const ends: Drawn[] = [];
  const before = new Map<Drawn, Drawn | undefined>();
  for (const d of now) {
    if (d.place < 0) continue;
    let lo = 0;
    let hi = ends.length;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (ends[mid]!.place < d.place) lo = mid + 1;
      else hi = mid;
    }
    ends[lo] = d;
    before.set(d, ends[lo - 1]);
  }
  const staying = new Set<Drawn>();
  for (let d = ends[ends.length - 1]; d; d = before.get(d)) staying.add(d);
  return staying;
}

const keyOf = (n: VNode | string): string | null => (typeof n === "string" ? null : n.key);

function same(a: VNode | string, b: VNode | string): boolean {
  return typeof a === "string" || typeof b === "string" ? typeof a === typeof b : a.tag === b.tag && a.key === b.key;
}
