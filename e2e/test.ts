// `test` for all specs: one dashboard for all tests of a run, and a page that
// fails its test when it complains, or asks anybody but the dashboard.
import { fileURLToPath } from "node:url";
import { test as base, expect, type Page } from "@playwright/test";
import { Dashboard } from "./dashboard.ts";

export { expect };

/** A person's folder of notes, with every habit of writing them that we know. */
const notes = fileURLToPath(new URL("../content/notes/testdata", import.meta.url));

export const test = base.extend<{ manners: undefined; freshDashboard: Dashboard }, { dashboard: Dashboard }>({
  dashboard: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the parameter's pattern
    async ({}, use) => {
      const dashboard = await Dashboard.start("--notes", notes);
      await dashboard.ready();
      await use(dashboard);
      await dashboard.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],

  freshDashboard: async ({ page }, use) => {
    const dashboard = await Dashboard.start();
    await use(dashboard);
    await page.close(); // it would complain, rightly, about a dashboard that is gone
    await dashboard.stop();
  },

  manners: [
    async ({ page }, use) => {
      const complaints = listen(page);
      await use(undefined);
      expect(complaints, "console errors, page errors and requests that leave this machine").toEqual([]);
    },
    { auto: true },
  ],
});

function listen(page: Page): string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (hostname !== "127.0.0.1" && !["data:", "blob:", "file:"].includes(protocol))
      complaints.push(`request to ${request.url()}`);
  });
  page.on("websocket", (socket) => {
    if (new URL(socket.url()).hostname !== "127.0.0.1") complaints.push(`websocket to ${socket.url()}`);
  });
  return complaints;
}
