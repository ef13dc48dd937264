// The birth of a pod, in both languages: Run really creates the pod, the text
// follows the facts, and the checkpoint looks at the cluster and at the log.
import { fileURLToPath } from "node:url";
import { Dashboard } from "../dashboard.ts";
import { Chapter } from "../pages/chapter.ts";
import { Console } from "../pages/console.ts";
import { Stage } from "../pages/stage.ts";
import { expectReadable } from "../readable.ts";
import { learner } from "../story.ts";
import { expect, test } from "../test.ts";

for (const lang of ["ko", "en"]) {
  test(`the birth of a pod can be run and followed, ${lang}`, async ({ dashboard, page }) => {
    const before = await dashboard.lastSeq();
    const stage = new Stage(page);
    const chapter = new Chapter(page);
    await stage.open(dashboard.url, `/${lang}/chapter/pod-birth`);
    await expect(page.locator("html")).toHaveAttribute("lang", lang);
    await stage.realSpeed();
    const steps = await chapter.steps.count();
    expect(steps).toBeGreaterThanOrEqual(10);

    await chapter.choose("tie");
    await chapter.run();
    await chapter.hasStepsDone(steps);
    await expect(chapter.commands).toHaveCount(1);
    await expect(chapter.commands.first()).toHaveAttribute("data-state", "done");
    await expect(chapter.commands.first()).toContainText("pod/hello created");
    await expect(chapter.status, "every claim of the text is held against this run").toContainText(/\b9\b|9개/);
    await expect(chapter.claims).toHaveCount(9);
    for (const claim of await chapter.claims.all()) await expect(claim).toHaveAttribute("data-state", "true");
    await expect(chapter.answer).toBeVisible();

    const events = await dashboard.eventsWhen("the pod hello", before, (all) =>
      all.some((e) => e.kind === "etcd" && e.verb === "put" && e.object?.name === "hello"),
    );
    const [created] = events.filter(
      (e) =>
        e.kind === "request" &&
        e.verb === "create" &&
        e.object?.resource === "pods" &&
        e.object.name === "hello" &&
        !e.object.subresource,
    );
    expect(created?.from).toBe(learner);
    await expect(chapter.caption("stored"), "the caption shows this run's revision").toContainText(
      String(created?.revision),
    );

    // A step that has happened can be looked at again.
    await chapter.step("request").locator("[data-step-title]").click();
    await stage.idle();
    expect(await stage.step()).toBe(created?.seq);
    await stage.catchUp();
  });
}

test("a word of the text lights its part of the stage", async ({ dashboard, page }) => {
  const stage = new Stage(page);
  const chapter = new Chapter(page);
  await stage.open(dashboard.url, "/en/chapter/pod-birth");
  await stage.idle();
  await chapter.term("scheduler").click();
  await expect(stage.part("kube-scheduler")).toHaveClass(/\blit\b/);
  await page.keyboard.press("Escape");
  await expect(stage.part("kube-scheduler")).not.toHaveClass(/\blit\b/);
});

test("the checkpoint tests the cluster and the trace", async ({ dashboard, page }) => {
  const stage = new Stage(page);
  const chapter = new Chapter(page);
  const terminal = new Console(page);
  await stage.open(dashboard.url, "/en/chapter/pod-birth");
  await chapter.check();
  await expect(chapter.fact("created")).toHaveAttribute("data-state", "missing");

  const before = await dashboard.lastSeq();
  await terminal.run("kubectl run first --image=nginx:1.29");
  await dashboard.eventsWhen("first runs", before, (all) =>
    all.some(
      (e) => e.kind === "etcd" && e.object?.name === "first" && JSON.stringify(e.detail).includes('"phase":"Running"'),
    ),
  );
  await terminal.run("kubectl delete pod first");
  await dashboard.eventsWhen("first is gone", before, (all) =>
    all.some((e) => e.kind === "etcd" && e.verb === "delete" && e.object?.name === "first"),
  );
  await chapter.check();
  await expect(chapter.passed).toBeVisible();
});

test("hints come one by one, and the solution last", async ({ dashboard, page }) => {
  const stage = new Stage(page);
  const chapter = new Chapter(page);
  await stage.open(dashboard.url, "/ko/chapter/pod-birth");
  for (const offered of [1, 2, 3]) {
    await expect(chapter.help).toHaveCount(offered);
    await chapter.help.last().locator("summary").click();
  }
  // A line of the solution can be put into the console, which is in the learner's namespace.
  await chapter.solution.getByText("kubectl run first --image=nginx:1.29").click();
  await expect(page.locator(".console-input")).toHaveValue("kubectl run first --image=nginx:1.29");
  await expect(page.locator(".console-sign")).toHaveText(/^pod-birth-[a-z2-7]{4} \$$/);
  await expectReadable(page, "[data-chapter]");
});

test("where nothing can be run, the chapter plays its recorded run", async ({ page }) => {
  const file = fileURLToPath(new URL("../../content/recordings/pod-birth.kubestage", import.meta.url));
  const replay = await Dashboard.replay(file);
  try {
    const stage = new Stage(page);
    const chapter = new Chapter(page);
    await stage.open(replay.url, "/en/chapter/pod-birth");
    await page.getByRole("link", { name: "Play a recorded run" }).click();
    await expect(chapter.status).toContainText("recorded run");
    await stage.realSpeed();
    await chapter.run();
    await chapter.hasStepsDone(await chapter.steps.count());
    await expect(chapter.caption("running")).toContainText("written");
    await page.goto("about:blank"); // the page would complain, rightly, about a dashboard that is gone
  } finally {
    await replay.stop();
  }
});
