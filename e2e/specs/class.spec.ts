// A class: one page leads, others follow it on their own devices and in their
// own language, wander off and come back; the presenter's page steers.
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { Dashboard } from "../dashboard.ts";
import { expectReadable } from "../readable.ts";
import { expect, test } from "../test.ts";

const recording = fileURLToPath(new URL("../../content/recordings/pod-birth.kubestage", import.meta.url));

const playhead = (page: Page) => page.evaluate(() => window.kubestage.playhead());
const step = (page: Page) => page.evaluate(() => (window.kubestage as unknown as { step(by: 1): void }).step(1));
const loaded = (page: Page) => page.waitForFunction(() => window.kubestage?.log().last > 20);

test("viewers follow, wander off and come back; a remote control steers", async ({ page: leader, browser }) => {
  const dashboard = await Dashboard.replay(recording, "--share", "127.0.0.1:0");
  const [viewerContext, remoteContext] = [await browser.newContext(), await browser.newContext()];
  try {
    await leader.goto(`${dashboard.url}/en/`);
    await loaded(leader);
    await leader.getByRole("button", { name: "Present" }).click();
    await expect(leader.getByAltText("QR code of the address to join")).toBeVisible();
    await expectReadable(leader);
    const { code, links, presenter } = (await (await fetch(`${dashboard.url}/api/share`)).json()) as {
      code: string;
      links: string[];
      presenter: string[];
    };
    const shared = new URL(links[0]!).origin;
    await leader.getByRole("button", { name: "Start presenting" }).click();

    // The door: a wrong code, then the right one.
    const viewer = await viewerContext.newPage();
    await viewer.goto(shared);
    await expectReadable(viewer);
    await viewer.getByLabel("Code").fill("no");
    await viewer.getByRole("button", { name: "Join" }).click();
    await expect(viewer.getByText("That is not the code")).toBeVisible();
    await viewer.getByLabel("Code").fill(code.toLowerCase());
    await viewer.getByRole("button", { name: "Join" }).click();
    await loaded(viewer);
    await viewer.goto(`${shared}/ko/`);
    await loaded(viewer);
    await expect(viewer.getByText("발표자를 따라가는 중입니다.")).toBeVisible();
    await expect(leader.getByText("1 watching")).toBeVisible();
    await leader.keyboard.press("Escape");

    const together = async () => {
      const seq = await playhead(leader);
      await expect.poll(() => playhead(viewer)).toBe(seq);
      return seq;
    };
    await leader.evaluate(() => window.kubestage.seek(window.kubestage.log().foreground[3]!));
    for (let i = 0; i < 8; i++) await step(leader);
    const first = await together();
    await expectReadable(viewer);
    await leader.keyboard.press("q");
    await expect(viewer.locator("#view-sequence")).toBeVisible();
    await leader.keyboard.press("s");
    await expect(viewer.locator("#view-sequence")).toBeHidden();

    // Looking around by oneself, while the class goes on.
    await viewer.keyboard.press("ArrowLeft");
    await expect(viewer.getByText("혼자 둘러보는 중입니다.")).toBeVisible();
    const own = await playhead(viewer);
    await step(leader);
    await expect.poll(() => playhead(leader)).toBeGreaterThan(first);
    expect(await playhead(viewer)).toBe(own);
    await viewer.getByRole("button", { name: "다시 따라가기" }).click();
    const second = await together();

    // The presenter's page, from the link that only the owner sees.
    const remote = await remoteContext.newPage();
    await remote.goto(presenter[0]!);
    await expect(remote.locator("[data-now]")).not.toBeEmpty();
    await expectReadable(remote);
    await remote.getByRole("button", { name: "Next step" }).click();
    await expect.poll(() => playhead(leader)).toBeGreaterThan(second);
    await together();
    await remote.keyboard.press("PageUp");
    await expect.poll(() => playhead(leader)).toBe(second);
    await together();

    // The leader's window is loaded anew: the class waits, and goes on.
    await leader.reload();
    await loaded(leader);
    await step(leader);
    await step(leader);
    await together();
  } finally {
    await leader.goto("about:blank");
    await viewerContext.close();
    await remoteContext.close();
    await dashboard.stop();
  }
});
