// The birth of a pod, in both languages: Run really creates the pod, the text
// follows the facts, and the checkpoint looks at the cluster and at the log.
import { Chapter } from "../pages/chapter.ts";
import { Console } from "../pages/console.ts";
import { Stage } from "../pages/stage.ts";
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
