// A part of the picture is the very same value as before while nothing it
// depends on has changed; drawing then passes it over.
import type { View } from "./part.ts";

interface Made {
  of: readonly unknown[];
  made: unknown;
}

const before = new Map<string, Made>();

/** place names the part; of is all it depends on besides how the viewer looks. Lists and objects of a state are replaced when they change. */
export function sameAsBefore<T>(v: View, place: string, of: readonly unknown[], make: () => T): T {
  const all = [v.geometry, v.size, v.lang, v.lit, v.selection, ...of];
  const was = before.get(place);
  if (was && was.of.length === all.length && was.of.every((x, i) => x === all[i])) return was.made as T;
  const made = make();
  if (before.size > 1000) before.clear();
  before.set(place, { of: all, made });
  return made;
}
