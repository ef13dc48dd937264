// Pods in a node: as large as the fullest node allows, one by one while they
// fit, and counted by what they are when they do not. How large follows from
// the most pods a node ever held, so a tile keeps its place for life, and all
// tiles become smaller together, at most three times.
import { type Box, box } from "./way.ts";

export type TileSize = "large" | "medium" | "small";

export interface TileGrid {
  w: number;
  h: number;
  gap: number;
  columns: number;
  rows: number;
  size: TileSize;
}

/** Names of a few pods are whole, or nearly. The small ones are as large as lets 110 pods, the most a kubelet takes, stand in one of three nodes. */
const sizes: readonly [TileSize, number, number, number][] = [
  ["large", 143, 46, 6],
  ["large", 92, 46, 6],
  ["medium", 28, 28, 6],
  ["small", 13, 13, 2.4],
];

function grid(area: Box, size: TileSize, w: number, h: number, gap: number): TileGrid {
  const many = (room: number, one: number) => Math.max(0, Math.floor((room + gap) / (one + gap)));
  return { w, h, gap, size, columns: many(area.w, w), rows: many(area.h, h) };
}

const smallest = sizes[sizes.length - 1]!;

/** The grid for so many pods; null when they have to be counted. */
export function tileGrid(area: Box, crowd: number): TileGrid | null {
  for (const [size, w, h, gap] of sizes) {
    const g = grid(area, size, w, h, gap);
    if (g.columns * g.rows >= crowd && g.columns > 0) return g;
  }
  return null;
}

/** The finest grid, whatever does not fit into it. */
export function finest(area: Box): TileGrid {
  return grid(area, ...smallest);
}

export function tileAt(area: Box, g: TileGrid, slot: number): Box | null {
  const row = Math.floor(slot / g.columns);
  if (row >= g.rows) return null;
  return box(area.x + (slot % g.columns) * (g.w + g.gap), area.y + row * (g.h + g.gap), g.w, g.h);
}
