import { describe, expect, test } from "vitest";
import { partWords } from "../panel/parts.ts";
import { material } from "../test/cluster.ts";
import { everything, Tape } from "../test/tape.ts";
import type { KubeEvent } from "../wire/event.ts";
import { caption, evidenceWords } from "./captions.ts";
import { componentOrders, linkOrders, orderWord, question } from "./orders.ts";
import { withParticle } from "./particle.ts";
import { duration, ui, word } from "./ui.ts";

const hangul = /[가-힣]/;

describe("captions", () => {
  const { log } = material(everything().events);
  const told = (lang: "en" | "ko", e: KubeEvent) => caption(lang, { events: [e], event: (s) => log.get(s) });

  test("every event has a whole sentence in both languages", () => {
    for (const e of log.range(1, log.last)) {
      const en = told("en", e);
      const ko = told("ko", e);
      expect(en).toMatch(/^[\p{L}].*\S$/u);
      expect(en).not.toMatch(hangul);
      expect(ko).toMatch(hangul);
      for (const s of [en, ko]) expect(s).not.toMatch(/undefined|NaN|\[object|\?\?| {2}/);
      expect(evidenceWords("ko", e)).toMatch(/관찰됨|추론됨/);
    }
  });

  test("so has what a person does to components and links", () => {
    const t = new Tape();
    const names = ["etcd", "kube-apiserver", "kube-scheduler", "kubelet:node-2", "kubectl", "kubestage"];
    for (const n of names) {
      for (const verb of ["cut", "delayed", "healed"] as const) t.link(n, verb, 0.2);
      for (const verb of ["killed", "frozen", "thawed", "stopped"]) t.component(n, verb, { by: "learner" });
      for (const order of [...componentOrders, ...linkOrders]) {
        for (const lang of ["en", "ko"] as const) {
          const { title, text } = question(lang, order, n);
          for (const s of [title, ...text, orderWord(lang, order)]) {
            expect(hangul.test(s)).toBe(lang === "ko");
            expect(s).not.toMatch(/undefined|\[object| {2}/);
          }
        }
      }
    }
    for (const e of t.events) {
      expect(told("en", e)).toMatch(/^[\p{L}].*\.$/u);
      expect(told("ko", e)).toMatch(hangul);
      expect(told("en", e)).not.toMatch(/component |link /);
    }
  });

  test("what is not known still says who did what", () => {
    const e = new Tape().add({
      kind: "eclipse",
      from: "moon",
      verb: "covers",
      object: { resource: "suns", name: "sol" },
    });
    expect(told("en", e)).toBe("moon: eclipse covers, suns object sol.");
    expect(told("ko", e)).toBe("moon: eclipse covers, sol suns 오브젝트.");
  });

  test("all who heard of one revision are named in one sentence", () => {
    const watch = (to: string): KubeEvent =>
      new Tape().add({
        kind: "watch",
        from: "kube-apiserver",
        to,
        verb: "ADDED",
        object: { resource: "pods", name: "a" },
      });
    const events = [watch("system:kube-scheduler"), watch("system:node:node-1")];
    expect(caption("en", { events, event: () => undefined })).toBe(
      "The kube-apiserver tells kube-scheduler and the kubelet of node-1, who watch, that Pod a is new.",
    );
    expect(caption("ko", { events, event: () => undefined })).toBe(
      "kube-apiserver가 지켜보던 kube-scheduler, node-1의 kubelet에게 a 파드가 새로 생겼다고 알립니다.",
    );
  });

  test("equal scores are not called a lead", () => {
    const cycle = (totals: number[]): KubeEvent =>
      new Tape().add({
        kind: "schedule",
        from: "system:kube-scheduler",
        verb: "schedule",
        object: { resource: "pods", name: "a" },
        detail: {
          result: "scheduled",
          node: "n1",
          evaluated: 2,
          feasible: 2,
          nodes: totals.map((total, i) => ({ name: `n${i + 1}`, scores: { P: total }, total })),
        },
      });
    expect(told("en", cycle([5, 5]))).toContain("2 of them share the best score of 5");
    expect(told("en", cycle([9, 5]))).toContain("n1 has the most points, 9");
  });
});

test("particles fit the word before them", () => {
  const cases: [string, Parameters<typeof withParticle>[1], string][] = [
    ["파드", "을", "파드를"],
    ["레플리카셋", "이", "레플리카셋이"],
    ["kube-scheduler", "이", "kube-scheduler가"],
    ["node-1의 kubelet", "이", "node-1의 kubelet이"],
    ["kubectl", "이", "kubectl이"],
    ["node-1", "을", "node-1을"],
    ["node-2", "을", "node-2를"],
    ["1", "로", "1로"],
    ["0", "로", "0으로"],
    ["디플로이먼트", "과", "디플로이먼트와"],
    ["web 디플로이먼트(Deployment)", "을", "web 디플로이먼트(Deployment)를"],
    ["롤바인딩(RoleBinding)", "을", "롤바인딩(RoleBinding)을"],
    ["PDB", "을", "PDB를"],
    ["URL", "을", "URL을"],
  ];
  for (const [w, p, want] of cases) expect(withParticle(w, p)).toBe(want);
});

test("every word exists in both languages and is not the same by mistake", () => {
  for (const [name, [en, ko]] of Object.entries(ui)) {
    expect([name, en.length > 0, ko.length > 0]).toEqual([name, true, true]);
    expect([name, (en.match(/\{\}/g) ?? []).length]).toEqual([name, (ko.match(/\{\}/g) ?? []).length]);
  }
  for (const id of ["etcd", "kubelet:node-1", "node:node-1", "replicaset-controller"])
    expect(partWords(id)[1]).toMatch(hangul);
});

test("lengths of time are said in people's units", () => {
  expect(duration("en", 0.42)).toBe("0.4 ms");
  expect(duration("en", 420)).toBe("420 ms");
  expect(duration("en", 3200)).toBe("3.2 s");
  expect(duration("ko", 90_000)).toBe("90초");
  expect(word("ko", "viewing", duration("ko", 3200))).toBe("3.2초 전을 보는 중");
});
