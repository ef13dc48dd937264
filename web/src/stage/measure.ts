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
  let w = 0;
  for (const c of text) {
    const code = c.codePointAt(0)!;
    w +=
      code > 0x1100 ? 0.9 : /[A-Z0-9@]/.test(c) ? 0.62 : /[ilj.,:;'| ]/.test(c) ? 0.28 : /[mwMW]/.test(c) ? 0.84 : 0.55;
  }
  return w * size;
}

/** Shortens in the middle, where Kubernetes names differ the least. */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  const tail = Math.ceil((max - 1) / 2);
  return `${text.slice(0, max - 1 - tail)}…${text.slice(text.length - tail)}`;
}

/** As much of a text as fits into a width. */
export function cut(s: string, width: number, size: number, mono = false): string {
  let out = s;
  while (out.length > 2 && widthOf(out, size, mono) > width) out = shorten(s, out.length - 1);
  return out;
}
