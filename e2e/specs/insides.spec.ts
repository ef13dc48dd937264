// Looking into components and nodes, with the mouse, with the keyboard, by an
// address; at a recording, so that every moment is the same each time.
import { Dashboard } from "../dashboard.ts";
import { Stage } from "../pages/stage.ts";
import { expectReadable } from "../readable.ts";
import { file } from "../stage/recording.ts";
import { expect, test } from "../test.ts";

let replay: Dashboard;
test.beforeAll(async () => {
  replay = await Dashboard.replay(file);
});
test.afterAll(() => replay.stop());

const insides = ["kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler"];

test("keys look into each component and lead back, and the address says what is open", async ({ page }) => {
  const stage = new Stage(page);
  await stage.open(replay.url, "/en/#at=2279");
  await stage.idle();
  const whole = await stage.text();
  for (const [i, name] of [...insides, "kubelet · node-1", "runtime · node-1"].entries()) {
    await page.keyboard.press(String(i + 1));
    await expect(stage.svg.locator(".inside")).toHaveAccessibleName(name);
    await expect(page).toHaveURL(new RegExp(`open=${name.split(" ")[0]}`));
  }
  await page.keyboard.press("Escape");
  await expect(stage.svg.locator(".inside")).toHaveCount(0);
  await stage.idle();
  expect(await stage.text()).toBe(whole);
});

test("a component opens by its sign, a step changes what is inside, and back is the way back", async ({ page }) => {
  const stage = new Stage(page);
  await stage.open(replay.url, "/en/#at=682");
  await stage.idle();
  await stage.svg.getByRole("button", { name: "Look into kube-apiserver" }).click();
  const inside = stage.svg.locator(".inside");
  await expect(inside).toContainText("create deployment/web");
  await expect(inside).toContainText("cluster-admin");
  const first = await inside.textContent();
  for (let i = 0; i < 6; i++) await page.keyboard.press("ArrowRight");
  await stage.idle();
  expect(await inside.textContent()).not.toBe(first);
  await stage.svg.getByRole("button", { name: /the whole picture/ }).press("Enter");
  await expect(inside).toHaveCount(0);
});

test("a node opens in place of the others, and tokens can be reached when all stands still", async ({ page }) => {
  const stage = new Stage(page);
  await stage.open(replay.url, "/en/?open=node:node-2#at=2279");
  await stage.idle();
  await expect(stage.part("node:node-2")).toBeVisible();
  await expect(stage.part("node:node-1")).toHaveCount(0);
  await stage.svg.getByRole("button", { name: /\+2 more nodes/ }).click();
  await expect(stage.part("node:node-1")).toBeVisible();
  const token = stage.svg.locator("[data-token]").last();
  await token.focus();
  await page.keyboard.press("Enter");
  await expect(page.locator("#panel-inspector")).toBeVisible();
});

for (const path of ["/en/design", "/ko/design"])
  test(`${path} can be read by everybody`, async ({ page }) => {
    await page.goto(replay.url + path);
    await expectReadable(page);
  });

test("an inside can be read by everybody", async ({ page }) => {
  await new Stage(page).open(replay.url, "/ko/?open=kube-scheduler#at=705");
  await expectReadable(page, "svg.stage-svg");
});
