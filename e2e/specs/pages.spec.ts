// Every page, in both languages, light and dark: axe finds nothing, the fonts
// are ours, and (as in all tests) the console stays silent and no request
// leaves the machine.
import AxeBuilder from "@axe-core/playwright";
import { Stage } from "../pages/stage.ts";
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
  for (const theme of ["light", "dark"] as const) {
    test(`${path} can be read by everybody, ${theme}`, async ({ dashboard, page }) => {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      const stage = new Stage(page);
      await stage.open(dashboard.url, path);
      await stage.setTheme(theme);
      // Beside the notes the left side is the same on every page.
      const tabs = /^\/..\/$/.test(path)
        ? (["notes", "transcript", "stories", "inspector"] as const)
        : (["notes"] as const);
      for (const tab of tabs) {
        await stage.tab(tab);
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(
          violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`),
        ).toEqual([]);
      }
    });
  }
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
