// Times on the wire have nanoseconds, a JavaScript Date has not: an instant is
// milliseconds since 1970 as a number, with what is left of the nanoseconds as
// its fraction (a double keeps about a quarter of a microsecond).
const shape = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

export function instant(text: string): number {
  const m = shape.exec(text);
  if (!m) return Number.NaN;
  return Date.parse(`${m[1]}${m[3]}`) + (m[2] ? Number(m[2]) * 1000 : 0);
}

/** How long an event took, in milliseconds. */
export function took(e: { start: string; end: string }): number {
  return Math.max(0, instant(e.end) - instant(e.start)) || 0;
}
