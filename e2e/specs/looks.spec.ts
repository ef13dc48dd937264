// What can be measured of how pages look, on a small laptop and on a phone: nothing is wider than the
// window, no text is too small, what is pressed is large enough, titles and captions are whole, and
// on a phone the caption covers no view.
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { Dashboard } from "../dashboard.ts";
import { expect, test } from "../test.ts";

const recording = fileURLToPath(new URL("../bench/testdata/class.kubestage", import.meta.url));
const moments = [
  "?#at=2000",
  "?view=sequence#at=2000",
  "?view=etcd#at=2000",
  "?view=scheduler#at=2000",
  "?view=object#at=2000",
  "?open=etcd#at=2000",
  "book#at=2000",
  "search?q=pod#at=2000",
  "chapter/etcd#at=2000",
];

/** What is wrong with a page, in words. */
function flaws(least: { text: number; target: number }): string[] {
  const out: string[] = [];
  const visible = (el: Element) => el.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const named = (el: Element) => {
    const path = [el, el.parentElement, el.parentElement?.parentElement];
    return `${path.map((e) => e?.getAttribute("class") ?? e?.tagName ?? "").join(" < ")} "${el.textContent?.trim().slice(0, 30)}"`;
  };
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) out.push(`the page is ${wide} pixels wide`);
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    const el = n.parentElement;
    if (!el || !n.textContent?.trim() || !visible(el) || el.closest(".unseen, .sr-only, script, title")) continue;
    const scale = el instanceof SVGGraphicsElement ? (el.getScreenCTM()?.a ?? 1) : 1;
    const size = Number.parseFloat(getComputedStyle(el).fontSize) * scale;
    if (size < least.text - 0.05) out.push(`text of ${size.toFixed(1)} pixels: ${named(el)}`);
  }
  for (const el of document.querySelectorAll("button, summary, select, input, nav a, [role=tab]")) {
    if (!visible(el) || el.closest("p")) continue;
    const { width, height } = (el.closest("label") ?? el).getBoundingClientRect(); // a label is pressed as well
    if (width > 0 && Math.min(width, height) < least.target)
      out.push(`${Math.round(width)} by ${Math.round(height)} pixels to press: ${named(el)}`);
  }
  for (const name of ["[data-story-title]", "[data-caption-text]"]) {
    const el = document.querySelector(name);
    if (el && el.scrollHeight > el.clientHeight + 1) out.push(`cut: ${named(el)}`);
  }
  const view = document.querySelector(".view:not([hidden], .picture)")?.getBoundingClientRect();
  const caption = document.querySelector("[data-caption]")?.getBoundingClientRect();
  if (view && caption && view.bottom > caption.top + 1) out.push("the caption covers the view");
  return out;
}

async function open(page: Page, url: string): Promise<void> {
  await page.goto("about:blank"); // another hash alone loads nothing
  await page.goto(url);
  await page.waitForFunction(() => window.kubestage?.log().last >= 2000 && window.kubestage.idle());
}

for (const [width, height, text, target] of [
  [1280, 720, 12.4, 24],
  [390, 844, 12, 24],
] as const)
  test(`pages fit a window of ${width} by ${height}`, async ({ page }) => {
    const dashboard = await Dashboard.replay(recording);
    try {
      await page.setViewportSize({ width, height });
      const found: string[] = [];
      for (const [i, path] of moments.entries()) {
        const lang = i % 2 ? "en" : "ko";
        await open(page, `${dashboard.url}/${lang}/${path}`);
        for (const theme of ["light", "projector"]) {
          await page.locator("html").evaluate((html, t) => html.setAttribute("data-theme", t), theme);
          for (const flaw of new Set(await page.evaluate(flaws, { text, target })))
            found.push(`/${lang}/${path} ${theme}: ${flaw}`);
        }
      }
      expect(found).toEqual([]);
    } finally {
      await page.goto("about:blank");
      await dashboard.stop();
    }
  });
