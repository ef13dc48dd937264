import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { numberHere, numberThere, parseRecording, readRecording } from "./recording.ts";

const file = readFileSync("content/recordings/pod-birth.kubestage");
const text = gunzipSync(file).toString("utf8");

test("a recording is read as the server reads it", async () => {
  const r = await readRecording(file.toString("base64"));
  expect(r).toEqual(parseRecording(text));
  expect(r.events.map((e) => e.seq)).toEqual(r.events.map((_, i) => i + 1));
  expect(r.events.length).toBe(r.header.events);
  // The first sixty bits of the sum in base32, as watch/recording writes them: of 00001 00001 … that is B again and again.
  expect(parseRecording(text.replace(/"sha256":"[0-9a-f]{16}/, '"sha256":"084210842108421f')).id).toBe("BBBBBBBBBBBB");
});

test("an event has one number here and one there", () => {
  const { header, events } = parseRecording(text);
  for (const e of events) expect(numberHere(header, numberThere(header, e.seq))).toBe(e.seq);
  expect(numberThere(header, events.length + 1)).toBe(0);
  expect(numberHere(header, 1e9)).toBe(0);
});

test("what is no recording is refused", () => {
  expect(() => parseRecording(text.replace("kubestage-recording", "other"))).toThrow("no recording");
  expect(() => parseRecording(text.slice(0, text.length / 2))).toThrow();
});
