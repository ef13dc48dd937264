// How large texts are, and how wide they come out. The sizes are those of
// styles/tokens.css (a test compares them); widths are estimated, so that a
// picture is the same text on every machine.

export type TypeName = "title" | "head" | "body" | "small" | "mono";
export type Scale = Readonly<Record<TypeName, number>>;

/** The stage is at least 0.86 as large on a screen of 1280 by 720: nothing there is smaller than 12 pixels. */
export const scales: Readonly<Record<"near" | "far", Scale>> = {
  near: { title: 18, head: 16, body: 15, small: 14, mono: 14 },
  /** For the last row of a classroom. */
  far: { title: 20, head: 18, body: 17, small: 16, mono: 15.5 },
};

/** About how wide a text is drawn; the same everywhere, so that pictures can be compared. */
export function widthOf(text: string, size: number, mono = false): number {
  if (mono) return text.length * size * 0.6;
  return remember(widths, text, () => unitsOf(text)) * size;
}

/** The same texts are drawn again and again; what is known of them is kept, up to a limit. */
function remember<V>(known: Map<string, V>, key: string, find: () => V): V {
  let v = known.get(key);
  if (v === undefined) {
    if (known.size > 5000) known.clear();
    v = find();
    known.set(key, v);
  }
  return v;
}
const widths = new Map<string, number>();
const cuts = new Map<string, string>();

function unitsOf(text: string): number {
  let w = 0;
  for (const c of text) {
    const code = c.codePointAt(0)!;
    w +=
      code > 0x1100 ? 0.9 : /[A-Z0-9@]/.test(c) ? 0.62 : /[ilj.,:;'| ]/.test(c) ? 0.28 : /[mwMW]/.test(c) ? 0.84 : 0.55;
  }
  return w;
}

/** Shortens in the middle, where Kubernetes names differ the least. */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  const tail = Math.ceil((max - 1) / 2);
  return `${text.slice(0, max - 1 - tail)}…${text.slice(text.length - tail)}`;
}

/** Facts side by side: those in the middle are left out first. */
function fewer(facts: string[], fits: (t: string) => boolean): string | null {
  const [head, tail] = [facts.slice(0, Math.ceil(facts.length / 2)), facts.slice(Math.ceil(facts.length / 2))];
  const says = () => [...head, "…", ...tail].join(" · ");
  while (!fits(says()) && head.length + tail.length > 2) {
    if (head.length > tail.length) head.pop();
    else tail.shift();
  }
  return facts.length > 2 && fits(says()) ? says() : null;
}

/** A sentence, and not names among few words, ends behind a word. */
function shorter(words: string[], fits: (t: string) => boolean): string | null {
  if (words.length < 3 || words.some((w) => w.length > 19)) return null;
  const left = [...words];
  while (left.length > 1 && !fits(`${left.join(" ")} …`)) left.pop();
  return left.length > 1 ? `${left.join(" ")} …` : null;
}

/** As much of a text as fits into a width: whole facts and words where there are some, else the ends of a name. */
export function cut(s: string, width: number, size: number, mono = false): string {
  if (widthOf(s, size, mono) <= width) return s;
  return remember(cuts, `${width} ${size} ${mono} ${s}`, () => {
    const fits = (t: string) => (mono ? t.length * 0.6 : unitsOf(t)) * size <= width;
    const whole = s.includes(" · ") ? fewer(s.split(" · "), fits) : shorter(s.split(" "), fits);
    if (whole) return whole;
    let out = s;
    while (out.length > 2 && !fits(out)) out = shorten(s, out.length - 1);
    return out;
  });
}

/** A text in lines that fit a width, broken between words; the last line is cut when there are more. */
export function wrap(s: string, width: number, size: number, most: number): string[] {
  const lines: string[] = [];
  for (const word of s.split(" ")) {
    const last = lines[lines.length - 1];
    const longer = last === undefined ? word : `${last} ${word}`;
    if (last === undefined || (widthOf(longer, size) > width && lines.length < most)) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines.map((line) => cut(line, width, size));
}
