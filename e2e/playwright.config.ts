// Browser tests use the built binary in a real browser. Debian's chromium is
// used, never one that Playwright downloads.
import { readFileSync } from "node:fs";
import { defineConfig } from "@playwright/test";

/** Shared with the bench, which is no Playwright test. */
const chromium = JSON.parse(readFileSync(new URL("chromium.json", import.meta.url), "utf8")) as {
  executablePath: string;
  args: string[];
};

export default defineConfig({
  testDir: "specs",
  outputDir: "test-results",
  // A cluster and a browser share two cores with each other; two of each would
  // make slow tests, and numbers that nobody can compare.
  workers: 1,
  fullyParallel: false,
  forbidOnly: Boolean(process.env.CI),
  retries: process.env.CI ? 1 : 0, // a retry is a bug to file
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: process.env.CI ? [["list"]] : [["list"], ["html", { outputFolder: "report", open: "never" }]],
  use: {
    browserName: "chromium",
    viewport: { width: 1440, height: 900 },
    locale: "en-US",
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? chromium.executablePath,
      // Debian's chromium needs --no-sandbox as root, as in most CI; what wants to
      // leave this machine fails at resolving the name.
      args: chromium.args,
    },
  },
});
