// Every page, in both languages and each theme: axe finds nothing, the fonts
// are ours, and (as in all tests) the console stays silent and no request
// leaves the machine.
import { Stage } from "../pages/stage.ts";
import { expectReadable } from "../readable.ts";
import { expect, test } from "../test.ts";

const pages = [
  "/en/",
  "/ko/",
  "/en/book",
  "/ko/book",
  "/ko/search?q=파드",
  "/en/chapter/pod-birth",
  "/ko/chapter/pod-birth",
];

for (const path of pages) {
  test(`${path} can be read by everybody`, async ({ dashboard, page }) => {
    const stage = new Stage(page);
    await stage.open(dashboard.url, path);
    await stage.tab("notes");
    await expectReadable(page);
    // Beside the notes the left side is the same on every page.
    for (const tab of /^\/..\/$/.test(path) ? (["transcript", "stories", "inspector"] as const) : []) {
      await stage.tab(tab);
      await expectReadable(page, `#panel-${tab}`);
    }
  });
}

test("the address alone chooses the reader's language", async ({ dashboard, browser }) => {
  for (const [locale, path] of [
    ["ko-KR", "/ko/"],
    ["en-GB", "/en/"],
    ["fr-FR", "/en/"],
  ]) {
    const context = await browser.newContext({ locale });
    const page = await context.newPage();
    await page.goto(dashboard.url);
    expect(new URL(page.url()).pathname).toBe(path);
    await context.close();
  }
});

test("Hangul is drawn with our own font", async ({ dashboard, page }) => {
  await new Stage(page).open(dashboard.url, "/ko/");
  const hangul = await page.evaluate(async () => {
    await document.fonts.ready;
    const covers = (ranges: string, code: number) =>
      ranges.split(",").some((range) => {
        const [from = 0, to = from] = range
          .trim()
          .slice(2)
          .split("-")
          .map((hex) => Number.parseInt(hex, 16));
        return from <= code && code <= to;
      });
    const loaded = [...document.fonts].filter((f) => f.family.includes("Pretendard") && f.status === "loaded");
    return [..."파드"].filter((letter) => loaded.some((f) => covers(f.unicodeRange, letter.codePointAt(0) ?? 0)));
  });
  expect(hangul, "letters whose piece of the font was fetched").toEqual(["파", "드"]);
});

test("another site can neither read nor write", async ({ dashboard }) => {
  const evil = { Origin: "http://evil.example" };
  const write = await fetch(`${dashboard.url}/api/kubectl`, {
    method: "POST",
    headers: { ...evil, "Content-Type": "application/json" },
    body: JSON.stringify({ command: "kubectl delete namespace default" }),
  });
  expect(write.status).toBe(403);
  const form = await fetch(`${dashboard.url}/api/kubectl`, {
    method: "POST",
    headers: { "Content-Type": "text/plain" },
    body: JSON.stringify({ command: "kubectl get pods" }),
  });
  expect(form.status).toBeGreaterThanOrEqual(400);
});
