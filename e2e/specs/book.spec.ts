// Reading: one's own bookmarks, remarks and notes; what a word means; the way
// from page to page, onto paper and to another computer.
import { readFile, writeFile } from "node:fs/promises";
import { Chapter } from "../pages/chapter.ts";
import { Stage } from "../pages/stage.ts";
import { expectReadable } from "../readable.ts";
import { expect, test } from "../test.ts";

for (const path of ["/en/glossary", "/ko/progress", "/en/notes", "/ko/notes"])
  test(`${path} can be read by everybody`, async ({ dashboard, page }) => {
    await new Stage(page).open(dashboard.url, path);
    await expectReadable(page);
  });

test("what a learner writes stays, and goes along to another computer", async ({ dashboard, page, browser }) => {
  const stage = new Stage(page);
  const chapter = new Chapter(page);
  await stage.open(dashboard.url, "/ko/chapter/pod-birth");
  const step = chapter.step("stored");
  await step.getByRole("button", { name: /^책갈피/ }).click();
  await expect(step.getByRole("button", { name: /^책갈피/ })).toHaveAttribute("aria-pressed", "true");
  await step.getByRole("button", { name: /^메모/ }).click();
  await step.getByRole("textbox").fill("etcd에는 API 서버만 쓴다.\n<b>굵지 않다</b>");
  await step.getByRole("button", { name: "저장" }).click();
  await expect(step.locator(".own-remark")).toHaveText("etcd에는 API 서버만 쓴다.\n<b>굵지 않다</b>");
  await expectReadable(page);

  await page.reload();
  await expect(step.locator(".own-remark")).toContainText("<b>굵지 않다</b>");
  await page.getByRole("link", { name: "내 진도" }).click();
  await expect(page.locator(".progress-remark")).toContainText("etcd에는 API 서버만 쓴다.");
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "내보내기" }).click();
  const file = await (await download).path();

  const elsewhere = await browser.newContext();
  const other = await elsewhere.newPage();
  await other.goto(`${dashboard.url}/en/progress`);
  const broken = test.info().outputPath("broken.json");
  await writeFile(broken, (await readFile(file, "utf8")).slice(0, -40));
  await other.locator("[data-import]").setInputFiles(broken);
  await expect(other.locator("[data-import-status]")).toContainText("Nothing was taken from this one");
  await other.locator("[data-import]").setInputFiles(file);
  await expect(other.locator(".progress-remark")).toContainText("<b>굵지 않다</b>");
  await other.getByRole("link", { name: "etcd keeps it" }).click();
  await expect(other.locator("[data-step='stored'] .own-remark")).toBeVisible();
  await elsewhere.close();

  // Nothing written is nothing kept.
  await stage.open(dashboard.url, "/ko/chapter/pod-birth");
  await step.getByRole("button", { name: /^메모/ }).click();
  await step.getByRole("textbox").fill("");
  await step.getByRole("button", { name: "저장" }).click();
  await expect(step.locator(".own-remark")).toBeHidden();
});

test("a word says what it means, with the pointer and with the keyboard", async ({ dashboard, page }) => {
  const stage = new Stage(page);
  const chapter = new Chapter(page);
  await stage.open(dashboard.url, "/ko/chapter/pod-birth");
  await stage.idle();
  const card = page.getByRole("tooltip");
  await chapter.term("pod").hover();
  await expect(card).toContainText("파드");
  await expect(card).toContainText("pod");
  await expect(card).toContainText("포드"); // another spelling
  await card.hover(); // one may go over it
  await expect(card).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(card).toBeHidden();
  await chapter.term("scheduler").focus();
  await expect(card).toContainText("스케줄러");
  await expect(chapter.term("scheduler")).toHaveAttribute("aria-describedby", "term-card");
  await expectReadable(page);
  await page.keyboard.press("Enter");
  await expect(stage.part("kube-scheduler")).toHaveClass(/\blit\b/);
  await page.keyboard.press("Escape");
  await expect(card).toBeHidden();
  await expect(stage.part("kube-scheduler")).not.toHaveClass(/\blit\b/);
});

test("the glossary lights the stage", async ({ dashboard, page }) => {
  const stage = new Stage(page);
  await stage.open(dashboard.url, "/en/glossary");
  await stage.idle();
  await page.locator('#term-etcd [data-term="etcd"]').click();
  await expect(stage.part("etcd")).toHaveClass(/\blit\b/);
});

test("the keys [ and ] turn the pages of the book", async ({ dashboard, page }) => {
  await new Stage(page).open(dashboard.url, "/en/chapter/pod-birth");
  const neighbours = page.locator("[data-turn]");
  for (const [key, way] of [
    ["]", "after"],
    ["[", "before"],
  ] as const) {
    await page.goto(`${dashboard.url}/en/chapter/pod-birth`);
    const link = neighbours.and(page.locator(`[data-turn="${way}"]`));
    if ((await link.count()) === 0) continue; // it is the first or the last chapter
    const to = await link.getAttribute("href");
    await page.keyboard.press(key);
    await expect(page).toHaveURL(new RegExp(`${to}$`));
  }
});

test("notes are given through the page, byte for byte, and can do no harm", async ({ dashboard, page }) => {
  const hostile =
    "# 파드\n<script>window.harmed = true</script> [x](javascript:window.harmed=true) <img src=x onerror=harmed>\n";
  const flat = "apiVersion: v1 kind: Pod metadata: name: flat spec: containers: - name: web image: nginx:1.29\n";
  await new Stage(page).open(dashboard.url, "/ko/notes");
  await page
    .locator("[data-give-files]")
    .first()
    .setInputFiles([
      { name: "나쁜 노트.md", mimeType: "text/markdown", buffer: Buffer.from(hostile) },
      { name: "눌린.md", mimeType: "text/markdown", buffer: Buffer.from(flat) },
      { name: "큰.md", mimeType: "text/markdown", buffer: Buffer.alloc((1 << 20) + 1, "x") },
    ]);
  await expect(page.locator("[data-give-refused]")).toContainText("큰.md: 1MiB보다 큽니다");
  await page.reload();
  await expectReadable(page);
  await page.getByRole("link", { name: "나쁜 노트.md" }).click();
  await expect(page.locator(".own-note")).toContainText("<script>");
  expect(await page.evaluate(() => "harmed" in window)).toBe(false);
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "파일 그대로 받기" }).click();
  expect(await readFile(await (await download).path(), "utf8")).toBe(hostile);

  await page.getByRole("navigation", { name: "책" }).getByRole("link", { name: "내 노트" }).click();
  await page.getByRole("link", { name: "눌린.md" }).click();
  await page.locator(".note-offer summary").click();
  await expectReadable(page);
  await page.locator(".note-offer [data-manifest]").click();
  await expect(page.locator(".console-input")).toHaveValue("kubectl apply -f -");
  await expect(page.locator(".console-yaml")).toHaveValue(/^ {2}containers:\n {2}- name: web\n {4}image: nginx:1\.29/m);

  page.on("dialog", (d) => void d.accept());
  await page.goto(`${dashboard.url}/ko/notes`);
  await page.getByRole("button", { name: "올린 노트 모두 지우기" }).click();
  await expect(page.getByRole("link", { name: "눌린.md" })).toHaveCount(0);
});

test("on paper there is the text, whole, with where its links lead", async ({ dashboard, page }) => {
  await new Stage(page).open(dashboard.url, "/en/chapter/pod-birth");
  await page.emulateMedia({ media: "print" });
  await expect(page.locator("#stage")).toBeHidden();
  await expect(page.locator("[data-mount='console']")).toBeHidden();
  for (const text of await page.locator(".step-text").all()) await expect(text).toBeVisible();
  const after = await page
    .locator('.prose a[href^="https"]')
    .first()
    .evaluate((a) => getComputedStyle(a, "::after").content);
  expect(after).toContain("https://");
  for (const [width, name] of [
    [794, "A4"],
    [816, "Letter"],
  ] as const) {
    await page.setViewportSize({ width, height: 1100 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide, `nothing leaves the sheet, ${name}`).toBeLessThanOrEqual(width);
  }
});
