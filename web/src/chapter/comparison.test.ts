import { describe, expect, test } from "vitest";
import { compare } from "./comparison.ts";

const then = `NAME                       READY   STATUS    RESTARTS   AGE
etcd-minikube              1/1     Running   0          3d
web-0                      1/1     Running   0          3d
web-1                      0/1     Pending   0          3d`;

describe("what a note has, beside now", () => {
  test("a table is compared by object and column", () => {
    const now = `NAME    READY   STATUS    RESTARTS      AGE
web-1   1/1     Running   3 (2m ago)    5m
web-0   1/1     Running   0             5m
web-2   1/1     Running   0             4m
`;
    const c = compare(then, now);
    if (c.kind !== "table") throw new Error("it is a table");
    expect(c.rows.map((r) => [r.cells[0]?.old ?? r.cells[0]?.now, r.state])).toEqual([
      ["etcd-minikube", "gone"],
      ["web-0", "same"],
      ["web-1", "changed"],
      ["web-2", "new"],
    ]);
    expect(c.rows[2]?.cells[3]).toEqual({ old: "0", now: "3 (2m ago)" });
  });
  test("columns that only one of them has stay apart", () => {
    const c = compare("NAME   AGE\na      1d", "NAME   STATUS   AGE\na      Active   2d");
    expect(c).toEqual({
      kind: "table",
      columns: ["NAME", "AGE", "STATUS"],
      rows: [{ state: "changed", cells: [{ old: "a", now: "a" }, { old: "1d", now: "2d" }, { now: "Active" }] }],
    });
  });
  test("two namespaces may have a name each", () => {
    const c = compare("NAMESPACE   NAME\na   x\nb   x", "NAMESPACE   NAME\nb   x");
    expect(c.kind === "table" && c.rows.map((r) => r.state)).toEqual(["gone", "same"]);
  });
  test("what is no table is compared line by line", () => {
    expect(compare("Client Version: v1.20\nx\n", "Client Version: v1.36\nx")).toEqual({
      kind: "lines",
      lines: [
        { state: "gone", text: "Client Version: v1.20" },
        { state: "new", text: "Client Version: v1.36" },
        { state: "same", text: "x" },
      ],
    });
    expect(compare(then, "No resources found in default namespace.").kind).toBe("lines");
    expect(compare("", "").kind).toBe("lines");
  });
});
