import { describe, expect, test } from "vitest";
import { material } from "../test/cluster.ts";
import { boot, createDeployment, deletePod, everything, heartbeat, long, podValue, Tape } from "../test/tape.ts";
import type { KubeEvent } from "../wire/event.ts";
import { EventLog } from "../wire/log.ts";
import { actorOf } from "./actor.ts";
import { passageOf } from "./gates.ts";
import { History } from "./history.ts";
import { laneFor } from "./lane.ts";
import { Milestones } from "./milestones.ts";
import { podView } from "./pod.ts";
import type { ClusterState } from "./state.ts";
import { CHIPS } from "./state.ts";

const plain = (s: ClusterState) =>
  JSON.stringify(s, (_, v) => (v instanceof Map ? [...v] : v instanceof Set ? [...v] : v));

test("actors have a role and a name", () => {
  expect(actorOf("system:node:node-1")).toMatchObject({ role: "kubelet", node: "node-1" });
  expect(actorOf("runtime:node-1")).toMatchObject({ role: "runtime", node: "node-1" });
  expect(actorOf("system:serviceaccount:kube-system:replicaset-controller")).toMatchObject({
    role: "controllers",
    name: "replicaset-controller",
  });
  expect(actorOf("system:serviceaccount:kube-system:generic-garbage-collector").role).toBe("controllers");
  expect(actorOf("system:serviceaccount:default:app")).toMatchObject({ role: "workload", name: "default/app" });
  expect(actorOf("kubernetes-admin").role).toBe("person");
  expect(actorOf("system:apiserver").role).toBe("apiserver");
});

describe("the state", () => {
  const m = material(everything().events);

  test("is the same whether one comes from before or from behind", () => {
    const history = m.history;
    const forward: string[] = [];
    for (let seq = 0; seq <= m.log.last; seq++) forward.push(plain(history.at(seq)));
    for (let seq = m.log.last; seq >= 0; seq -= 7) expect(plain(history.at(seq))).toBe(forward[seq]);
    for (const seq of [50, 3, 120, 60, 61, 0, m.log.last]) expect(plain(history.at(seq))).toBe(forward[seq]);
  });

  test("has the pods where their objects say they are", () => {
    const s = m.history.at(m.log.last);
    expect([...s.nodes.keys()]).toEqual(["node-1", "node-2", "node-3"]);
    expect([...s.nodes.values()].map((n) => n.slot)).toEqual([0, 1, 2]);
    expect([...s.pods.values()].map((p) => [p.node, p.phase])).toEqual([
      ["node-3", "ready"],
      ["node-1", "ready"],
    ]);
    expect(s.quiet.leases).toBe(9);
    expect(Number(s.revision)).toBeGreaterThan(100);
  });

  test("survives snapshots and a log that forgets its beginning", () => {
    const events = long(3000).events;
    const whole = material(events);
    const log = new EventLog(2000);
    const history = new History(log);
    for (let i = 0; i < events.length; i += 100) log.append(events.slice(i, i + 100));
    expect(log.first).toBeGreaterThan(1);
    for (const seq of [log.first + 3, 1700, 2999, 2400]) {
      expect(plain(history.at(seq))).toBe(plain(whole.history.at(seq)));
    }
  });

  test("keeps a pod in its place for life and gives the place away after it", () => {
    const t = createDeployment(boot(new Tape(), ["node-1"]), "a", 1);
    const o = t.events.find((e) => e.kind === "etcd" && e.object?.resource === "pods")!.object!;
    const add = (name: string) =>
      t.write(
        "kubernetes-admin",
        "create",
        { version: "v1", resource: "pods", namespace: "default", name, uid: `u-${name}` },
        podValue({ name, uid: `u-${name}`, node: "node-2" }),
      );
    add("x");
    add("y");
    const before = t.events.length;
    deletePod(t, o, "node-2");
    const after = t.events.length;
    add("z");
    const history = material(t.events).history;
    const slots = (seq: number) => Object.fromEntries([...history.at(seq).pods.values()].map((p) => [p.name, p.slot]));
    expect(slots(before)).toEqual({ [o.name!]: 0, x: 1, y: 2 });
    expect(slots(after)).toEqual({ x: 1, y: 2 });
    expect(slots(t.events.length)).toEqual({ x: 1, y: 2, z: 0 });
  });

  test("gives busy controllers a place each, and takes it from the idle", () => {
    const t = new Tape();
    for (let i = 0; i < CHIPS + 2; i++) {
      t.write(
        `system:serviceaccount:kube-system:c${i}-controller`,
        "create",
        { version: "v1", resource: "configmaps", name: `c${i}`, uid: `u${i}` },
        {},
      );
    }
    const s = material(t.events).history.at(t.events.length);
    const placed = [...s.controllers.values()].filter((c) => c.slot >= 0);
    expect(placed).toHaveLength(CHIPS);
    expect(new Set(placed.map((c) => c.slot)).size).toBe(CHIPS);
    expect(s.controllers.get("c0-controller")?.slot).toBe(-1);
    expect(s.controllers.get(`c${CHIPS}-controller`)?.slot).toBe(0);
  });
});

describe("lanes", () => {
  const m = material(heartbeat(everything()).events);
  const lanes = m.log.range(1, m.log.last).map((e) => [m.history.lane(e.seq), e] as const);

  test("heartbeats and what follows from them are quiet", () => {
    for (const [lane, e] of lanes) {
      if (e.object?.resource === "leases") expect(lane).toBe("leases");
      if (e.object?.resource === "events") expect(lane).toBe("events");
      if (e.object?.subresource === "status" && e.object.resource === "nodes") expect(lane).toBe("nodeStatus");
    }
  });

  test("what people and controllers do is not", () => {
    const foreground = lanes.filter(([lane]) => lane === "foreground").map(([, e]) => e);
    expect(foreground.some((e) => e.from === "kubernetes-admin" && e.object?.resource === "deployments")).toBe(true);
    expect(foreground.filter((e) => e.kind === "schedule")).toHaveLength(3);
    expect(foreground.filter((e) => e.object?.subresource === "binding")).toHaveLength(3);
    expect(foreground.filter((e) => e.verb === "RunPodSandbox")).toHaveLength(3);
  });

  test("a component that reads is quiet, unless it is refused", () => {
    const base: KubeEvent = {
      seq: 1,
      kind: "request",
      start: "",
      end: "",
      from: "system:kube-scheduler",
      verb: "list",
      code: 200,
      object: { resource: "pods" },
      evidence: { how: "observed", source: "audit" },
    };
    const none = () => undefined;
    expect(laneFor(base, none)).toBe("reads");
    expect(laneFor({ ...base, code: 403 }, none)).toBe("foreground");
    expect(laneFor({ ...base, from: "kubernetes-admin" }, none)).toBe("foreground");
    expect(laneFor({ ...base, kind: "something-new" }, none)).toBe("foreground");
  });
});

describe("gates", () => {
  const refuse = (code: number, more: Partial<KubeEvent> = {}) =>
    passageOf({
      seq: 1,
      kind: "request",
      start: "",
      end: "",
      from: "x",
      verb: "update",
      code,
      object: { resource: "pods", name: "a" },
      evidence: { how: "observed", source: "audit" },
      detail: { decision: "allow" },
      ...more,
    });

  test("a refusal turns round where its code says", () => {
    expect(refuse(401).at).toBe("authn");
    expect(refuse(403, { detail: { decision: "forbid" } }).at).toBe("authz");
    expect(refuse(403).at).toBe("admission");
    expect(refuse(400)).toMatchObject({ at: "decode", reach: 1.5 });
    expect(refuse(422).at).toBe("validation");
    expect(refuse(409).at).toBe("storage");
    expect(refuse(429).at).toBe("flow");
    expect(refuse(500).at).toBe("unknown");
  });

  test("gates behind the refusal are not reached, those before are not all observed", () => {
    expect(refuse(422).marks).toEqual({
      authn: "observed",
      authz: "observed",
      admission: "implied",
      validation: "refused",
      storage: "unreached",
    });
    expect(Object.values(refuse(500).marks)).toEqual(Array(5).fill("unknown"));
  });

  test("a read has no business at admission and validation", () => {
    expect(refuse(200, { verb: "get" }).marks).toMatchObject({ admission: "skipped", validation: "skipped" });
  });
});

describe("a pod's state", () => {
  const phase = (v: Record<string, unknown>) => podView("k", v, 1).phase;
  const pod = { name: "a", uid: "u" };

  test("comes from its object alone", () => {
    expect(phase(podValue(pod))).toBe("pending");
    expect(phase(podValue({ ...pod, node: "n" }))).toBe("creating");
    expect(phase(podValue({ ...pod, node: "n", phase: "Running", state: { running: {} } }))).toBe("running");
    expect(phase(podValue({ ...pod, node: "n", phase: "Running", ready: true, state: { running: {} } }))).toBe("ready");
    expect(phase(podValue({ ...pod, node: "n", state: { waiting: { reason: "CrashLoopBackOff" } } }))).toBe(
      "crashloop",
    );
    expect(phase(podValue({ ...pod, node: "n", state: { waiting: { reason: "ErrImagePull" } } }))).toBe("image");
    expect(phase(podValue({ ...pod, node: "n", phase: "Running", ready: true, deleted: true }))).toBe("terminating");
    expect(phase(podValue({ ...pod, node: "n", phase: "Succeeded" }))).toBe("succeeded");
    expect(phase(podValue({ ...pod, node: "n", phase: "Failed" }))).toBe("failed");
    expect(phase({})).toBe("pending");
  });
});

describe("milestones", () => {
  test("are few and in order", () => {
    const m = material(everything().events);
    const milestones = new Milestones();
    for (const e of m.log.range(1, m.log.last)) milestones.push(e, m.history.lane(e.seq)!);
    const kinds = milestones.list.map((x) => x.kind);
    expect(kinds.filter((k) => k === "decision")).toHaveLength(3);
    expect(kinds.filter((k) => k === "good")).toHaveLength(3);
    expect(kinds.filter((k) => k === "person")).toHaveLength(2);
    expect(kinds.filter((k) => k === "bad")).toHaveLength(2);
  });
});

describe("what a person does to components and links", () => {
  test("what was frozen is, after it thaws, what it was", () => {
    const t = boot(new Tape());
    t.component("kube-scheduler", "frozen", { by: "learner" });
    const frozen = t.events.length;
    t.component("kube-scheduler", "thawed", { by: "learner" });
    const { history } = material(t.events);
    expect(history.at(frozen).components.get("kube-scheduler")?.health).toBe("frozen");
    expect(history.at(t.events.length).components.get("kube-scheduler")?.health).toBe("ready");
    expect(history.at(frozen).components.get("kube-scheduler")?.health).toBe("frozen");
  });

  test("a link is cut, delayed and healed, and begins a story", () => {
    const t = boot(new Tape());
    const cut = t.link("kubelet:node-2", "cut");
    const late = t.link("etcd", "delayed", 0.2);
    const healed = t.link("kubelet:node-2", "healed");
    const m = material(t.events);
    expect(m.history.at(cut.seq).links.get("kubelet:node-2")?.state).toBe("cut");
    expect(m.history.at(late.seq).links.get("etcd")).toMatchObject({ state: "delayed", delay: 0.2 });
    expect([...m.history.at(healed.seq).links.keys()]).toEqual(["etcd"]);
    expect(m.history.at(cut.seq - 1).links.size).toBe(0);
    expect(m.stories.of(cut.seq)?.root).toBe(cut.seq);
  });
});

describe("spans", () => {
  const object = { version: "v1", resource: "pods", namespace: "default", name: "a" };

  test("belong to their request and are no step of their own", () => {
    const t = boot(new Tape());
    const request = t.request("kubernetes-admin", "create", object, {}, 500);
    const span = t.span(
      request,
      { step: "authentication" },
      { step: "authorization" },
      { step: "mutating", refused: true },
    );
    const m = material(t.events);
    expect(m.history.span(request.seq)?.seq).toBe(span.seq);
    expect(m.history.lane(span.seq)).toBe("inside");
    expect(m.timeline.foreground).not.toContain(span.seq);
    expect(m.history.at(span.seq).quiet).toEqual(m.history.at(request.seq).quiet);
    // The answer alone does not say which gate an error 500 comes from.
    expect(passageOf(request).at).toBe("unknown");
    const seen = passageOf(request, span);
    expect(seen.at).toBe("admission");
    expect(seen.marks).toEqual({
      authn: "observed",
      authz: "observed",
      admission: "refused",
      validation: "unreached",
      storage: "unreached",
    });
  });

  test("turn what the answer implies into what was observed", () => {
    const t = boot(new Tape());
    const request = t.request("kubernetes-admin", "create", object);
    expect(passageOf(request).marks.validation).toBe("implied");
    const span = t.span(request, { step: "validation" }, { step: "etcd" });
    const { marks } = passageOf(request, span);
    expect([marks.validation, marks.storage]).toEqual(["observed", "observed"]);
    expect(marks.admission).toBe("implied");
  });
});
