// Every event that was ever recorded has a sentence of its own, in both
// languages; and so has every sort of event the log can tell of.
import { describe, expect, test } from "vitest";
import { recorded } from "../test/recorded.ts";
import { Tape } from "../test/tape.ts";
import type { KubeEvent, KubeObject } from "../wire/event.ts";
import { caption, fallback } from "./captions.ts";
import { knowsKind } from "./words.ts";

const hangul = /[가-힣]/;

/** What is wrong with the sentences for an event. */
function complaints(e: KubeEvent): string[] {
  const wrong: string[] = [];
  if (e.object && e.kind !== "source" && !knowsKind(e.object.resource)) wrong.push(`no name for ${e.object.resource}`);
  for (const lang of ["en", "ko"] as const) {
    const text = caption(lang, { events: [e], event: () => undefined });
    if (text.startsWith(fallback(lang, e))) wrong.push(`only the fallback: ${text}`);
    if (/undefined|NaN|\[object|\?\?|\{\w|\s{2}|: ?\.|\(\)/.test(text)) wrong.push(`a hole: ${text}`);
    if (lang === "ko" && !hangul.test(text)) wrong.push(`not Korean: ${text}`);
    // A name may be in Korean, a sentence that is English not.
    if (lang === "en" && hangul.test(text)) wrong.push(`not English: ${text}`);
    if (/[을은이과]\([를는가와]\)|\((?:을|이|으)\)/.test(text)) wrong.push(`no particle chosen: ${text}`);
  }
  return wrong;
}

const sortOf = (e: KubeEvent) =>
  [e.kind, e.verb, e.object?.resource, e.object?.subresource, (e.code ?? 0) >= 400 ? e.code : ""].join(" ");

describe.each(["day", "night"] as const)("the narration of a real %s", (name) => {
  test("has a sentence for each event", () => {
    const wrong = new Map<string, string[]>();
    for (const e of recorded(name)) {
      const c = complaints(e);
      if (c.length && !wrong.has(sortOf(e))) wrong.set(sortOf(e), c);
    }
    expect([...wrong]).toEqual([]);
  });
});

test("the narration has a sentence for each sort of event the sandbox can produce", () => {
  const t = new Tape();
  const pod: KubeObject = { version: "v1", resource: "pods", namespace: "default", name: "a" };
  const kubelet = "system:node:node-1";
  const person = "kubernetes-admin";
  const all: KubeEvent[] = [];
  const add = (e: Parameters<Tape["add"]>[0]) => all.push(t.add(e));

  const actors = [
    person,
    kubelet,
    "system:kube-scheduler",
    "system:apiserver",
    "system:serviceaccount:kube-system:job-controller",
    "system:serviceaccount:shop:cart",
    "unknown",
    "kubestage",
  ];
  const resources = ["pods", "deployments", "nodes", "leases", "events", "services", "secrets"];
  for (const from of actors)
    for (const resource of resources)
      for (const verb of ["create", "update", "patch", "delete", "deletecollection", "get", "list", "watch"])
        for (const code of [200, 401, 403, 404, 409, 422, 429, 500])
          add({
            kind: "request",
            from,
            to: "kube-apiserver",
            verb,
            code,
            object: { resource, namespace: "default", name: /list|collection/.test(verb) ? undefined : "a" },
          });
  for (const [verb, subresource] of [
    ["create", "binding"],
    ["create", "eviction"],
    ["create", "exec"],
    ["get", "exec"],
    ["create", "attach"],
    ["create", "portforward"],
    ["get", "portforward"],
    ["get", "log"],
    ["get", "proxy"],
    ["create", "proxy"],
    ["patch", "resize"],
    ["patch", "ephemeralcontainers"],
    ["update", "status"],
    ["patch", "status"],
    ["get", "status"],
    ["update", "scale"],
    ["patch", "scale"],
    ["get", "scale"],
    ["update", "finalize"],
    ["update", "approval"],
    ["create", "token"],
  ] as const)
    for (const code of [200, 403])
      add({ kind: "request", from: person, to: "kube-apiserver", verb, code, object: { ...pod, subresource } });
  for (const resource of [
    "tokenreviews",
    "subjectaccessreviews",
    "localsubjectaccessreviews",
    "selfsubjectaccessreviews",
    "selfsubjectrulesreviews",
    "selfsubjectreviews",
  ])
    add({ kind: "request", from: kubelet, to: "kube-apiserver", verb: "create", code: 201, object: { resource } });
  add({ kind: "request", from: person, to: "kube-apiserver", verb: "get", code: 200, detail: { uri: "/api" } });
  add({
    kind: "request",
    from: person,
    to: "kube-apiserver",
    verb: "create",
    code: 201,
    object: pod,
    detail: { as: "jane", dryRun: true },
  });

  for (const verb of ["put", "delete", "range"])
    add({
      kind: "etcd",
      from: "kube-apiserver",
      to: "etcd",
      verb,
      revision: "7",
      object: pod,
      detail: { key: "/registry/pods/default/a" },
    });
  add({
    kind: "etcd",
    from: "kube-apiserver",
    to: "etcd",
    verb: "put",
    revision: "7",
    detail: { key: "/registry/masterleases/10.0.0.1" },
  });
  for (const verb of ["ADDED", "MODIFIED", "DELETED", "BOOKMARK"])
    add({ kind: "watch", from: "kube-apiserver", to: kubelet, verb, object: pod, detail: { listed: 3 } });
  for (const result of ["scheduled", "unschedulable", "error"])
    add({
      kind: "schedule",
      from: "system:kube-scheduler",
      verb: "schedule",
      object: pod,
      detail: { result, node: "node-1", feasible: 1, evaluated: 2, message: "0/2 nodes" },
    });
  for (const verb of [
    "RunPodSandbox",
    "PullImage",
    "CreateContainer",
    "StartContainer",
    "StopContainer",
    "RemoveContainer",
    "StopPodSandbox",
    "RemovePodSandbox",
    "ImageStatus",
    "RemoveImage",
    "ExecSync",
    "Exec",
    "Attach",
    "PortForward",
    "UpdateContainerResources",
    "ReopenContainerLog",
  ])
    for (const code of [0, 5])
      add({
        kind: "cri",
        from: kubelet,
        to: "runtime:node-1",
        verb,
        code,
        object: pod,
        detail: { node: "node-1", containerName: "c", image: "nginx" },
      });
  add({
    kind: "cri",
    from: "runtime:node-1",
    verb: "ContainerExited",
    object: pod,
    detail: { node: "node-1", containerName: "c", exitCode: 137, reason: "OOMKilled" },
  });
  for (const verb of ["httpGet", "tcpSocket", "grpc"])
    for (const result of ["success", "warning", "failure", "unknown"])
      add({
        kind: "probe",
        from: kubelet,
        to: "runtime:node-1",
        verb,
        object: pod,
        detail: { container: "c", probes: ["readiness", "liveness"], result },
      });
  for (const result of ["connected", "refused", "unreachable", "timeout"])
    add({
      kind: "net",
      from: "runtime:node-1",
      verb: "connect",
      object: pod,
      detail: {
        node: "node-1",
        target: "10.96.0.1:80",
        service: "default/web:http",
        endpoint: "10.244.0.3:80",
        result,
      },
    });
  add({
    kind: "net",
    from: "runtime:node-1",
    verb: "lookup",
    object: pod,
    detail: { name: "web", result: "NXDOMAIN", answer: [] },
  });
  for (const to of ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet:node-1"])
    for (const verb of ["starting", "ready", "exited", "backoff", "stopping", "stopped", "killed", "frozen", "thawed"])
      add({ kind: "component", from: "kubestage", to, verb, detail: { exit: "exit status 1", wait: 2 } });
  for (const link of ["kube-scheduler", "kubelet:node-1", "kubectl", "kubestage", "etcd"])
    for (const verb of ["cut", "delayed", "healed"])
      add({ kind: "link", from: "kubestage", to: link, verb, detail: { link, delay: 0.3 } });
  for (const verb of ["connected", "disconnected", "denied", "gap"])
    add({ kind: "source", from: "kubestage", verb, object: { resource: "pods" }, detail: { message: "why" } });
  add({
    kind: "span",
    from: "kube-apiserver",
    to: "kube-apiserver",
    verb: "request",
    object: pod,
    detail: { steps: [] },
  });

  const wrong = new Map<string, string[]>();
  for (const e of all) {
    const c = complaints(e);
    if (c.length && !wrong.has(sortOf(e))) wrong.set(sortOf(e), c);
  }
  expect([...wrong]).toEqual([]);
});
