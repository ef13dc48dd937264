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

interface Drawn {
  vnode: VNode | string;
  dom: Element | Text;
  children: Drawn[];
  /** Its place among its parent's children when they were drawn last. */
  place: number;
}

/** A part of the page that is drawn from a tree. */
export class Drawing {
  private drawn: Drawn[] = [];
  constructor(
    private readonly root: Element,
    private readonly namespace: string = SVG,
  ) {}

  draw(...nodes: VNode[]): void {
    this.drawn = this.patchChildren(this.root, this.drawn, nodes);
  }

  private make(n: VNode | string): Drawn {
    if (typeof n === "string") return { vnode: n, dom: document.createTextNode(n), children: [], place: -1 };
    const dom = document.createElementNS(this.namespace, n.tag);
    for (const [name, value] of Object.entries(n.attrs)) dom.setAttribute(name, String(value));
    return { vnode: n, dom, children: this.patchChildren(dom, [], n.children), place: -1 };
  }

  private patch(d: Drawn, n: VNode | string): Drawn {
    if (d.vnode === n) return d;
    if (typeof n === "string") {
      (d.dom as Text).data = n;
      d.vnode = n;
      return d;
    }
    const was = (d.vnode as VNode).attrs;
    const dom = d.dom as Element;
    for (const name in n.attrs) if (was[name] !== n.attrs[name]) dom.setAttribute(name, String(n.attrs[name]));
    for (const name in was) if (!(name in n.attrs)) dom.removeAttribute(name);
    d.children = this.patchChildren(dom, d.children, n.children);
    d.vnode = n;
    return d;
  }

  private patchChildren(parent: Element, was: Drawn[], nodes: (VNode | string)[]): Drawn[] {
    // Mostly the same children are there in the same order.
    if (was.length === nodes.length && was.every((d, i) => same(d.vnode, nodes[i]!))) {
      for (let i = 0; i < nodes.length; i++) this.patch(was[i]!, nodes[i]!);
      return was;
    }
    const keyed = new Map<string, Drawn>();
    const loose: Drawn[] = [];
    for (const d of was) {
      const key = typeof d.vnode === "string" ? null : d.vnode.key;
      if (key === null) loose.push(d);
      else keyed.set(key, d);
    }
    let next = 0;
    const now: Drawn[] = [];
    const kept = new Set<Drawn>();
    for (const n of nodes) {
      let d: Drawn | undefined;
      if (typeof n !== "string" && n.key !== null) d = keyed.get(n.key);
      else {
        d = loose[next];
        if (d && same(d.vnode, n)) next++;
        else d = loose.slice(next).find((l) => !kept.has(l) && same(l.vnode, n));
      }
      if (d && !kept.has(d) && same(d.vnode, n)) d = this.patch(d, n);
      else d = this.make(n);
      kept.add(d);
      now.push(d);
    }
    for (const d of was) if (!kept.has(d)) d.dom.remove();
    let at: Node | null = parent.firstChild;
    const staying = inOrder(now);
    now.forEach((d, i) => {
      if (staying.has(d) || d.dom === at) at = d.dom.nextSibling;
      else parent.insertBefore(d.dom, at);
      d.place = i;
    });
    return now;
  }
}

/** The most that can stay where they are when the others are moved: moving an element costs as much as making it. */
function inOrder(now: readonly Drawn[]): Set<Drawn> {
  // The longest rising run of places: ends[n] ends the run of n + 1 whose end is the lowest.
  const ends: Drawn[] = [];
  const before = new Map<Drawn, Drawn | undefined>();
  for (const d of now) {
    if (d.place < 0) continue;
    let n = ends.length;
    if (n > 0 && ends[n - 1]!.place > d.place) {
      let lo = 0;
      while (lo < n) {
        const mid = (lo + n) >> 1;
        if (ends[mid]!.place < d.place) lo = mid + 1;
        else n = mid;
      }
    }
    ends[n] = d;
    before.set(d, ends[n - 1]);
  }
  const staying = new Set<Drawn>();
  for (let d = ends[ends.length - 1]; d; d = before.get(d)) staying.add(d);
  return staying;
}

function same(a: VNode | string, b: VNode | string): boolean {
  return typeof a === "string" || typeof b === "string" ? typeof a === typeof b : a.tag === b.tag && a.key === b.key;
}
