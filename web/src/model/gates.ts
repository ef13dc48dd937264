// The gates of the apiserver's hall, in the order a request passes them, and
// where a request was turned back. The log says who asked and what was
// decided. If the request's span is there too, it shows each gate; otherwise
// what only follows from the answer is called implied.
import type { KubeEvent } from "../wire/event.ts";
import { isRead } from "./lane.ts";
import { gateOfStep, stepsAt, stepsOf } from "./span.ts";

export const gates = ["authn", "authz", "admission", "validation", "storage"] as const;
export type Gate = (typeof gates)[number];

/** How a gate stands for one request. */
export type GateMark = "observed" | "implied" | "skipped" | "refused" | "unreached" | "unknown";

export interface Passage {
  /** Gates passed before the request turned round; fractions lie between two gates (decoding, flow control). */
  reach: number;
  refused: boolean;
  /** In a word: where it turned back, when that is known. */
  at: Gate | "decode" | "flow" | "unknown" | null;
  marks: Record<Gate, GateMark>;
}

export function passageOf(e: KubeEvent, span?: KubeEvent): Passage {
  const code = e.code ?? 0;
  const refused = code >= 400;
  const turned = stepsOf(span).findLast((s) => s.refused);
  const at = refused ? ((turned && gateOfStep(turned)) ?? refusalAt(e, code)) : null;
  const reach =
    at === null ? 4 : at === "unknown" ? -0.6 : at === "flow" ? 0.5 : at === "decode" ? 1.5 : gates.indexOf(at);
  const marks = {} as Record<Gate, GateMark>;
  gates.forEach((g, i) => {
    if (at === "unknown") marks[g] = "unknown";
    else if (i > reach) marks[g] = "unreached";
    else if (refused && i === reach) marks[g] = "refused";
    else if (stepsAt(span, g).length > 0) marks[g] = "observed";
    else if (isRead(e) && (g === "admission" || g === "validation")) marks[g] = "skipped";
    else marks[g] = g === "authn" || (g === "authz" && e.detail?.decision === "allow") ? "observed" : "implied";
  });
  return { reach, refused, at, marks };
}

function refusalAt(e: KubeEvent, code: number): Gate | "decode" | "flow" | "unknown" {
  switch (code) {
    case 401:
      return "authn";
    case 403:
      return e.detail?.decision === "forbid" ? "authz" : "admission";
    case 400:
    case 405:
    case 406:
    case 413:
    case 415:
      return "decode";
    case 404:
      // The namespace of a new object is looked for at admission.
      return e.verb === "create" && !e.object?.subresource ? "admission" : "storage";
    case 409:
    case 410:
      return "storage";
    case 422:
      return "validation";
    case 429:
      return e.object?.subresource === "eviction" ? "storage" : "flow";
    default:
      return "unknown";
  }
}
