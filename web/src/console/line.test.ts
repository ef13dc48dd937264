import { expect, test } from "vitest";
import { common, inColumns, Line, place } from "./line.ts";

function typed(...keys: string[]): Line {
  const line = new Line();
  for (const key of keys) expect(line.take(key)).toBeUndefined();
  return line;
}

const left = "\x1b[D";

test("keys edit as in a shell", () => {
  expect(typed(..."kubectl").text).toBe("kubectl");
  expect(typed(..."gt", left, "e").text).toBe("get");
  expect(typed(..."get pods", "\x17", "n").text).toBe("get n");
  expect(typed(..."get pods", "\x1b[1;5D", "\x0b").text).toBe("get ");
  expect(typed(..."get pods", "\x01", "\x1b[3~", "\x05", "!").text).toBe("et pods!");
  expect(typed(..."파드", "\x7f").text).toBe("파");
  expect(typed(..."a🙂", left, "\x1b[3~").text).toBe("a");
  expect(typed("\x7f", left, "\x1b[3~", "\x1b[15~").text).toBe("");
});

test("keys that are not the line's business are told, and what is pasted is not run", () => {
  const line = typed(..."get");
  expect([line.take("\r"), line.take("\t"), line.take("\x03"), line.take("\x1b[A")]).toEqual([
    "run",
    "complete",
    "cancel",
    "earlier",
  ]);
  expect(typed("kubectl get pods \\\r\n -A\rkubectl delete pods --all\r").text).toBe(
    "kubectl get pods   -A kubectl delete pods --all ",
  );
});

test("the cursor's place counts wide characters and full rows", () => {
  expect(place("$ ab", 80)).toEqual({ row: 0, column: 4 });
  expect(place("가나다", 5)).toEqual({ row: 1, column: 2 });
  expect(place("abcde", 5)).toEqual({ row: 1, column: 0 });
});

test("a line is drawn over the one before, however many rows it had", () => {
  const line = typed(..."abcdefgh");
  expect(line.draw("$ ", "$ ", 5)).toBe("\r\x1b[J$ abcdefgh \r\r");
  line.take("\x01");
  expect(line.draw("$ ", "$ ", 5)).toBe("\x1b[2A\r\x1b[J$ abcdefgh \r\x1b[2A\r\x1b[2C");
});

test("what is offered", () => {
  expect(common(["configmaps", "controllerrevisions"])).toBe("con");
  expect(common(["pods"])).toBe("pods");
  expect(inColumns(["a", "bb", "c"], 8)).toBe("a   c\r\nbb");
});
