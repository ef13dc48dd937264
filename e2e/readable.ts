// What everybody must be able to read, as axe sees it.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect } from "./test.ts";

const themes = ["light", "dark", "projector"] as const;

/**
 * axe finds nothing on the page, or in the part of it that a selector names.
 * Structure is the same in each theme, so it is looked at once; colours are
 * looked at in all three.
 */
export async function expectReadable(page: Page, part?: string): Promise<void> {
  await page.emulateMedia({ reducedMotion: "reduce" }); // a colour half-way to another is nobody's
  const before = await page.evaluate(() => document.documentElement.dataset.theme ?? "");
  for (const [i, theme] of themes.entries()) {
    await page.evaluate(choose, theme);
    let axe = new AxeBuilder({ page });
    if (i > 0) axe = axe.withRules(["color-contrast"]);
    if (part) axe = axe.include(part);
    const { violations } = await axe.analyze();
    expect(
      violations.map((v) => `${theme}: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`),
    ).toEqual([]);
  }
  await page.evaluate(choose, before);
}

/** In the page: takes a theme, and waits until it is drawn. */
async function choose(theme: string): Promise<void> {
  document.documentElement.dataset.theme = theme;
  for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame);
}
