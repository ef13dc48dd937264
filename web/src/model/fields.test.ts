import { describe, expect, test } from "vitest";
import { material } from "../test/cluster.ts";
import { recorded } from "../test/recorded.ts";
import { changes, excerpt, yaml } from "./fields.ts";
import { Ledger } from "./ledger.ts";
import { authored } from "./writers.ts";

const text = (value: unknown) => yaml(value).map((l) => l.text);

describe("an object's lines", () => {
  test("are its YAML", () => {
    expect(
      text({
        kind: "Pod",
        metadata: { name: "a", annotations: { "x/y": "true", z: "1" }, labels: {} },
        odd: ["54c99694-82e9", "78e8", "7887448d46", "10.0.0.1", "1.5", "", "a: b", "on"],
        spec: { containers: [{ name: "c", args: ["-c", "one\ntwo\n"], ports: [{ containerPort: 80 }] }], weird: null },
      }),
    ).toEqual([
      "kind: Pod",
      "metadata:",
      "  name: a",
      "  annotations:",
      '    x/y: "true"',
      '    z: "1"',
      "  labels: {}",
      "odd:",
      "- 54c99694-82e9",
      '- "78e8"',
      "- 7887448d46",
      "- 10.0.0.1",
      '- "1.5"',
      '- ""',
      '- "a: b"',
      '- "on"',
      "spec:",
      "  containers:",
      "  - name: c",
      "    args:",
      '    - "-c"',
      "    - |",
      "        one",
      "        two",
      "    ports:",
      "    - containerPort: 80",
      "  weird: null",
    ]);
  });

  test("have paths by which items of lists keep their place", () => {
    const paths = yaml({ c: [{ type: "Ready", status: "True" }, { type: "Initialized" }], l: ["a", "b"] });
    expect(paths.map((l) => l.path)).toEqual([
      "c",
      "c[Ready].type",
      "c[Ready].status",
      "c[Initialized].type",
      "l",
      "l[0]",
      "l[1]",
    ]);
  });
});

test("what changed is told where it stood", () => {
  const was = yaml({ a: 1, list: [{ name: "x", v: 1 }, { name: "y" }], z: { deep: true } });
  const now = yaml({ a: 1, list: [{ name: "w" }, { name: "x", v: 2 }], z: { deep: true }, n: 3 });
  expect(changes(was, now).map((c) => c.mark + c.text)).toEqual([
    " a: 1",
    " list:",
    "+- name: w",
    " - name: x",
    "-  v: 1",
    "+  v: 2",
    "-- name: y",
    " z:",
    "   deep: true",
    "+n: 3",
  ]);
  expect(
    excerpt(changes(was, yaml({ ...{ a: 1 }, list: [{ name: "x", v: 1 }, { name: "y" }], z: { deep: false } })), 1),
  ).toEqual([
    { skipped: 5 },
    { path: "z", text: "z:", leaf: false, mark: " " },
    { path: "z.deep", text: "  deep: true", leaf: true, mark: "-" },
    { path: "z.deep", text: "  deep: false", leaf: true, mark: "+" },
  ]);
});

test("each field of a real pod has the writer the audit log names", () => {
  const { log, history } = material(recorded("day"));
  const ledger = new Ledger(log);
  const running = log
    .range(1, log.last)
    .find(
      (e) =>
        e.kind === "etcd" && e.object?.resource === "pods" && JSON.stringify(e.detail?.value).includes('"running"'),
    )!;
  const key = String(running.detail?.key);
  const pod = authored(
    ledger.writes(key, running.seq),
    (s) => log.get(s),
    (s) => history.span(s),
  );
  const by = (path: string) => {
    const w = pod.by.get(path);
    return w && [w.by, w.part].filter((x) => x !== undefined).join(" · ");
  };
  const node = (running.detail!.value as { spec: { nodeName: string } }).spec.nodeName;
  expect(by("spec.nodeName")).toBe("system:kube-scheduler");
  expect(by("status.phase")).toBe(`system:node:${node}`);
  expect(by("metadata.uid")).toMatch(/replicaset-controller · $/);
  expect(by("spec.containers[nginx].image")).toMatch(/replicaset-controller$/);
  expect(by("spec.serviceAccountName")).toMatch(/replicaset-controller · ServiceAccount$/);
  const mount = [...pod.by.keys()].find((p) => p.startsWith("spec.containers[nginx].volumeMounts"))!;
  expect(by(mount)).toMatch(/ServiceAccount$/);
  expect(pod.writes.map((w) => w.event.revision)).toEqual([...pod.writes.map((w) => w.event.revision)].sort());
  for (const l of pod.lines.filter((l) => l.leaf)) expect(pod.by.get(l.path), l.path).toBeDefined();
});
