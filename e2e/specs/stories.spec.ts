// Stories and recordings: what grew out of a command is one story in the list,
// it can be kept as a recording, and that plays in the same page.
import { Stage } from "../pages/stage.ts";
import { expect, test } from "../test.ts";

test("a command is a story; recorded, it plays without the cluster", async ({ dashboard, page }) => {
  const before = await dashboard.lastSeq();
  await dashboard.kubectl("kubectl create deployment tale --image=nginx --replicas=2");
  const events = await dashboard.eventsWhen("two pods run", before, (all) => {
    const running = all.filter(
      (e) =>
        e.kind === "etcd" &&
        e.object?.resource === "pods" &&
        e.object.name?.startsWith("tale-") &&
        JSON.stringify(e.detail?.value ?? {}).includes('"phase":"Running"'),
    );
    return new Set(running.map((e) => e.object?.uid)).size === 2;
  });
  const root = events.find((e) => e.kind === "request" && e.verb === "create" && e.object?.resource === "deployments");

  const stage = new Stage(page);
  await stage.open(dashboard.url, "/en/");
  await stage.realSpeed();
  await stage.tab("stories");
  const panel = page.locator("#panel-stories");
  const line = panel.locator(`[data-story="${root?.seq}"]`);
  await expect(line).toContainText("tale");
  await line.click();
  await expect.poll(() => stage.step()).toBe(root?.seq);

  await panel.getByLabel("Title").fill("Two replicas");
  await panel.getByLabel("From event").fill(String(before + 1));
  await panel.getByLabel("To event").fill(String(events.at(-1)?.seq));
  await panel.getByRole("button", { name: "Record from there to there" }).click();
  const play = panel.getByRole("link", { name: "Play: Two replicas" });
  await expect(play).toBeVisible();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    panel.getByRole("link", { name: "Download: Two replicas" }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^Two-replicas-.*\.kubestage$/);

  await play.click();
  await expect(page.locator("[data-replay]")).toContainText("A recording");
  await page.waitForFunction(() => window.kubestage?.log().foreground.length > 20);
  await page.evaluate(() => {
    const { last } = window.kubestage.log();
    window.kubestage.seek(last);
  });
  await expect(stage.pods("tale-")).toHaveCount(2);
  await expect(page.locator('[data-mount="console"]')).toContainText("no cluster behind a recording");
  await page.getByRole("link", { name: "Leave it" }).click();
  await expect(page.locator("[data-replay]")).toBeHidden();

  await stage.tab("stories");
  await panel.getByRole("button", { name: "Delete: Two replicas" }).click();
  await panel.getByRole("button", { name: "Really delete: Two replicas" }).click();
  await expect(play).toHaveCount(0);
  await dashboard.kubectl("kubectl delete deployment tale");
});

test("a request's gates are opened by what it went through", async ({ dashboard, page }) => {
  const before = await dashboard.lastSeq();
  await dashboard.kubectl("kubectl create configmap gates --from-literal=a=b");
  const events = await dashboard.eventsWhen("the request and its span", before, (all) => {
    const asked = all.find((e) => e.kind === "request" && e.verb === "create" && e.object?.name === "gates");
    return all.some((e) => e.kind === "span" && e.causes?.some((c) => c.seq === asked?.seq));
  });
  const asked = events.find((e) => e.kind === "request" && e.verb === "create" && e.object?.name === "gates");
  const stage = new Stage(page);
  await stage.open(dashboard.url, "/en/");
  await page.waitForFunction((seq) => window.kubestage.log().last >= seq, events.at(-1)?.seq ?? 0);
  await page.evaluate((seq) => window.kubestage.seek(seq), asked?.seq ?? 0);
  await stage.idle();
  for (const gate of ["authn", "authz", "admission", "validation", "storage"]) {
    await expect(stage.part(gate)).toHaveClass(/is-observed/);
    await expect(stage.part(gate)).toHaveAttribute("aria-label", /\d(\.\d+)? (µs|ms|s)$/);
  }
  await page.keyboard.press("w");
  const steps = page.locator("#panel-inspector table.steps");
  await expect(steps).toContainText("Authorization");
  await expect(steps).toContainText("Mutating admission");
  await expect(steps).toContainText("etcd");
  await dashboard.kubectl("kubectl delete configmap gates");
});
