// Reads a recording, as watch/recording describes the file: gzip over lines of
// JSON, a header first and the sum of it all last.
import type { KubeEvent } from "./event.ts";

export interface Header {
  title?: string;
  /** The log it was taken from, and the numbers its events had there: runs of [first, how many]. */
  log: string;
  origin?: [number, number][];
  events: number;
  end: string;
}

export interface Recording {
  header: Header;
  /** Of the log it is played as; it follows from the file's content, so that every reader gives it the same. */
  id: string;
  events: KubeEvent[];
}

const VERSION = 1;

/** Unpacks and reads a file that is in the page as base64. */
export async function readRecording(base64: string): Promise<Recording> {
  const packed = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const lines = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  return parseRecording(lines);
}

export function parseRecording(text: string): Recording {
  const lines = text.split("\n");
  const header = JSON.parse(lines[0] ?? "") as Header & { format: string; version: number };
  if (header.format !== "kubestage-recording" || header.version > VERSION) throw new Error("this is no recording");
  const { end } = JSON.parse(lines[header.events + 1] ?? "") as { end: { events: number; sha256: string } };
  const events = lines.slice(1, header.events + 1).map((line) => JSON.parse(line) as KubeEvent);
  return { header, id: idOf(end.sha256), events };
}

/** The first twelve letters of a sum in base32, as the server names the log. */
function idOf(sum: string): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = BigInt(`0x${sum.slice(0, 16)}`); // 64 bits, of which 60 are used
  let id = "";
  for (let i = 0; i < 12; i++) id += letters[Number((bits >> BigInt(59 - 5 * i)) & 31n)];
  return id;
}

/** The number here of an event of the log it was taken from; 0 when it was not recorded. */
export function numberHere(header: Header, seq: number): number {
  let before = 0;
  for (const [first, many] of header.origin ?? []) {
    if (seq >= first && seq < first + many) return before + seq - first + 1;
    before += many;
  }
  return 0;
}

/** The number there of an event of the recording; 0 when it has none. */
export function numberThere(header: Header, seq: number): number {
  let before = 0;
  for (const [first, many] of header.origin ?? []) {
    if (seq <= before + many) return first === 0 ? 0 : first + seq - before - 1;
    before += many;
  }
  return 0;
}
