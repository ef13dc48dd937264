import { expect, test } from "vitest";
import { material } from "../test/cluster.ts";
import { recorded, recordedText } from "../test/recorded.ts";

test("the stories of a real day are those the server finds", () => {
  const { stories } = material(recorded("day"));
  const ours = stories
    .all()
    .map(({ root, events, counts: c, actors }) =>
      [
        root,
        `${events.length} events, ${c.requests} requests, ${c.writes} writes, ${c.notifications} notifications, ${c.decisions} decisions, ${c.calls} calls, ${c.objects} objects, ${actors.size} actors`,
      ].join("\t"),
    );
  const theirs = recordedText("day.stories.txt")
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"))
    .map(([root, , , counts]) => `${root}\t${counts}`);
  expect(ours).toEqual(theirs);
});
