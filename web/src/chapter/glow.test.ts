import { expect, test } from "vitest";
import type { KubeEvent } from "../wire/event.ts";
import { glowing } from "./glow.ts";

const event = (e: Partial<KubeEvent>): KubeEvent => ({
  seq: 1,
  kind: "request",
  start: "",
  end: "",
  from: "kubernetes-admin",
  verb: "create",
  evidence: { how: "observed", source: "audit" },
  ...e,
});
const pod = { resource: "pods", namespace: "default", name: "web" };
const binding = event({
  from: "system:kube-scheduler",
  to: "kube-apiserver",
  object: { ...pod, subresource: "binding" },
});
const stored = event({ kind: "etcd", from: "kube-apiserver", to: "etcd", verb: "put", object: pod, revision: "7" });
const made = event({
  from: "system:serviceaccount:kube-system:replicaset-controller",
  to: "kube-apiserver",
  object: pod,
});
const started = event({ kind: "cri", from: "system:node:node-1", to: "runtime", verb: "StartContainer" });

const note = [
  new Set(["scheduler", "pod", "node"]), // the scheduler finds a node for a pod
  new Set(["etcd"]), // etcd is a store
  new Set(["replicaset", "pod"]), // a ReplicaSet makes pods
  new Set(["kubelet", "container"]), // the kubelet starts containers
  new Set(["etcd", "pod"]), // pods are kept in etcd
];

test.each([
  ["the scheduler binds", [binding], [0]],
  ["a loop makes a pod", [made], [2]],
  ["a pod is stored", [stored], [4]],
  ["a container starts", [started], [3]],
  ["the newest that a line tells of", [stored, binding, event({ verb: "get" })], [0]],
  ["nothing that a line tells of", [event({ verb: "get" })], undefined],
  ["nothing", [], undefined],
])("%s", (_, recent, lines) => expect(glowing(note, recent)?.lines).toEqual(lines));
