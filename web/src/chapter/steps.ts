// Where a reader is, as a pure function of the facts of a run and the
// playhead: scrubbing back makes steps undone again, because they are.

/** A step that was reached, as the server says it. */
export interface Fact {
  step: string;
  seq: number;
  start: string;
  at: string;
  values: Record<string, string>;
  answer: string;
}

export type StepState = "waiting" | "current" | "done";

/**
 * The state of each step at the playhead. A step is done when its fact has
 * happened for the viewer. The first that is not is current while a run is going
 * on or has begun; its event is the one that is on its way.
 */
export function stepStates(
  ids: readonly string[],
  facts: ReadonlyMap<string, Fact>,
  playhead: number,
  running: boolean,
): Map<string, StepState> {
  const states = new Map<string, StepState>();
  const done = (id: string) => (facts.get(id)?.seq ?? Number.POSITIVE_INFINITY) <= playhead;
  let current = running || ids.some(done);
  for (const id of ids) {
    if (done(id)) states.set(id, "done");
    else if (current) {
      states.set(id, "current");
      current = false;
    } else states.set(id, "waiting");
  }
  return states;
}

/** Milliseconds of the cluster's own time from the beginning of one fact to the end of another. */
export function elapsed(from: Fact, to: Fact): number {
  return Math.max(0, Date.parse(to.at) - Date.parse(from.start));
}

/** Everything the facts captured; a later fact's value of the same name wins. */
export function captured(facts: Iterable<Fact>): Record<string, string> {
  const all: Record<string, string> = {};
  for (const f of facts) Object.assign(all, f.values);
  return all;
}

/** Puts captured values into their {places}. A place without a value becomes an ellipsis. */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{([a-z][a-zA-Z0-9]*)\}/g, (_, name: string) => values[name] || "…");
}

/** Reads a fact from the server's JSON; undefined when it is none. */
export function readFact(m: Record<string, unknown>): Fact | undefined {
  if (typeof m.step !== "string" || typeof m.seq !== "number") return undefined;
  const values: Record<string, string> = {};
  if (typeof m.values === "object" && m.values !== null)
    for (const [name, value] of Object.entries(m.values)) if (typeof value === "string") values[name] = value;
  return {
    step: m.step,
    seq: m.seq,
    start: typeof m.start === "string" ? m.start : "",
    at: typeof m.at === "string" ? m.at : "",
    values,
    answer: typeof m.answer === "string" ? m.answer : "",
  };
}
