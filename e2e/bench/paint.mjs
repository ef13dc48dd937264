// Prints, as a JSON list, after how many milliseconds a browser had painted each
// of the pages it is given, five times each.
import { readFileSync } from "node:fs";
import { chromium } from "@playwright/test";

const { executablePath, args } = JSON.parse(readFileSync(new URL("../chromium.json", import.meta.url), "utf8"));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? executablePath, args });
const painted = [];
for (let run = 0; run < 5; run++) {
  for (const url of process.argv.slice(2)) {
    const context = await browser.newContext(); // nothing is remembered from the run before
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
    painted.push(
      await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime),
    );
    await context.close();
  }
}
await browser.close();
console.log(JSON.stringify(painted));
