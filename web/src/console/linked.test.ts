import { expect, test } from "vitest";
import { commandOf, withoutCommand } from "./linked.ts";

test("a link's command is one that can be shown as it is, or it is not run", () => {
  expect(commandOf("?view=etcd")).toBeUndefined();
  expect(commandOf("?command=kubectl+get+pods+-l+%22app=%EC%9B%B9%22")).toEqual({
    command: 'kubectl get pods -l "app=웹"',
    strange: false,
  });
  for (const strange of [
    "rm -rf /",
    "kubectl get pods\nkubectl delete ns x",
    "kubectl get \u202epods",
    "kubectl get\u200b pods",
    `kubectl get ${"x".repeat(2000)}`,
  ])
    expect(commandOf(`?${new URLSearchParams({ command: strange })}`)?.strange, strange).toBe(true);
});

test("the address asks once", () => {
  expect(withoutCommand("?command=kubectl+get+pods")).toBe("");
  expect(withoutCommand("?view=etcd&command=kubectl+get+pods")).toBe("?view=etcd");
});
