// What a request went through inside the kube-apiserver, step by step, as its
// span event tells it.
import type { KubeEvent } from "../wire/event.ts";
import type { Gate } from "./gates.ts";

export interface Plugin {
  plugin: string;
  /** Nanoseconds after the span's start, as all times here. */
  start: number;
  end: number;
  changed?: string[];
  refused?: string;
}

export interface Step {
  step: string;
  start: number;
  end: number;
  /** "otel": Kubernetes' own tracing; "apiserver": a gate of ours where it has none. */
  source: string;
  /** It turned the request back. */
  refused?: boolean;
  /** What is in it and cannot be told apart from outside. */
  merged?: unknown;
  attributes?: Record<string, unknown>;
}

export function stepsOf(span: KubeEvent | undefined): Step[] {
  return Array.isArray(span?.detail?.steps) ? (span.detail.steps as Step[]) : [];
}

export function pluginsOf(step: Step): Plugin[] {
  return Array.isArray(step.attributes?.plugins) ? (step.attributes.plugins as Plugin[]) : [];
}

/** The gate of the hall that a step belongs to, or what lies between two of them. */
const gateOf: Record<string, Gate | "decode" | "flow"> = {
  authentication: "authn",
  impersonation: "authn",
  priorityandfairness: "flow",
  authorization: "authz",
  read: "decode",
  decode: "decode",
  patch: "decode",
  mutating: "admission",
  validation: "validation",
  validating: "admission",
  etcd: "storage",
  cache: "storage",
  unchanged: "storage",
};

export function gateOfStep(step: Step): Gate | "decode" | "flow" | null {
  return gateOf[step.step] ?? null;
}

export function stepsAt(span: KubeEvent | undefined, gate: Gate): Step[] {
  return stepsOf(span).filter((s) => gateOfStep(s) === gate);
}

/** Milliseconds that steps took. */
export function tookSteps(steps: readonly Step[]): number {
  return steps.reduce((ms, s) => ms + Math.max(0, s.end - s.start) / 1e6, 0);
}
