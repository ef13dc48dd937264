// The playhead decides what is drawn: pausing stops, stepping moves by one
// event, and the way back shows the very same pictures.
import { Stage } from "../pages/stage.ts";
import { expect, test } from "../test.ts";

test("stepping back draws identical pictures", async ({ dashboard, page }) => {
  const before = await dashboard.lastSeq();
  await dashboard.kubectl("kubectl run again --image=nginx --restart=Never");
  await dashboard.eventsWhen("the pod runs", before, (all) =>
    all.some(
      (e) => e.kind === "etcd" && e.object?.name === "again" && JSON.stringify(e.detail).includes('"phase":"Running"'),
    ),
  );
  const stage = new Stage(page);
  await stage.open(dashboard.url, "/en/");
  await page.waitForFunction(() => window.kubestage.log().last > 0);
  await stage.idle();
  await stage.press("play");
  expect(await stage.mode()).toBe("paused");
  const [first] = await dashboard.events(before);
  await page.evaluate((seq) => window.kubestage.seek(seq), first?.seq ?? 1);

  const forth: { at: number; text: string; caption: string }[] = [];
  for (let i = 0; i < 15; i++) {
    await stage.idle();
    forth.push({ at: await stage.playhead(), text: await stage.text(), caption: await stage.caption() });
    await stage.press("forward");
  }
  expect(
    forth.map((f) => f.at),
    "each step moves the playhead",
  ).toEqual([...new Set(forth.map((f) => f.at))]);
  expect(new Set(forth.map((f) => f.text)).size, "each step changes the picture").toBe(forth.length);
  for (const then of forth.reverse()) {
    await stage.press("back");
    await stage.idle();
    expect(await stage.playhead()).toBe(then.at);
    expect(await stage.caption()).toBe(then.caption);
    expect(await stage.text()).toBe(then.text);
  }
  await dashboard.kubectl("kubectl delete pod again --now");
});

test("a paused stage does not move, and its address finds the same moment", async ({ dashboard, page, context }) => {
  const stage = new Stage(page);
  await stage.open(dashboard.url, "/en/");
  await stage.idle();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await stage.idle();
  const then = await stage.text();
  await dashboard.kubectl("kubectl create configmap while-paused --from-literal=a=b");
  await page.waitForFunction((seq) => window.kubestage.log().last >= seq, await dashboard.lastSeq());
  await stage.idle();
  expect(await stage.text()).toBe(then);

  await expect(page, "the address follows when the playhead rests").toHaveURL(/#at=\d+&log=\w+$/);
  const copy = await context.newPage();
  const other = new Stage(copy);
  await other.open(page.url(), "");
  await copy.waitForFunction((seq) => window.kubestage.playhead() === seq, await stage.playhead());
  await other.idle();
  expect(await other.text()).toBe(then);
  await copy.close();

  await stage.press("live");
  await stage.idle();
  expect(await stage.mode()).toBe("live");
  await dashboard.kubectl("kubectl delete configmap while-paused");
});

test("a token leads to its evidence", async ({ dashboard, page }) => {
  const before = await dashboard.lastSeq();
  await dashboard.kubectl("kubectl create configmap evidence --from-literal=a=b");
  const events = await dashboard.eventsWhen("the row in etcd", before, (all) =>
    all.some((e) => e.kind === "etcd" && e.object?.name === "evidence"),
  );
  const stored = events.find((e) => e.kind === "etcd" && e.object?.name === "evidence");
  const request = events.find((e) => e.seq === stored?.causes?.[0]?.seq);
  const stage = new Stage(page);
  await stage.open(dashboard.url, "/en/");
  await stage.idle();
  await page.evaluate((seq) => window.kubestage.seek(seq), stored?.seq ?? 0);
  await stage.idle();
  await stage.svg.locator(`[data-token="${stored?.seq}"]`).last().click();
  const inspector = page.locator("#panel-inspector");
  await expect(inspector).toBeVisible();
  await expect(inspector).toContainText(String(stored?.evidence.id));

  await page.evaluate((seq) => window.kubestage.seek(seq), request?.seq ?? 0);
  await stage.idle();
  await stage.svg.locator(`[data-token="${request?.seq}"]`).last().dispatchEvent("click"); // the write it makes sets out from the same place
  await expect(inspector).toContainText("kubernetes-admin");
  await expect(inspector).toContainText(String(request?.evidence.id));
  await dashboard.kubectl("kubectl delete configmap evidence");
});
