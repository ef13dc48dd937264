// A newcomer's way: from the bare address to the first checkpoint passed, by
// what is written on the pages alone; and back into the book from a note.
import type { Locator, Page } from "@playwright/test";
import { Console } from "../pages/console.ts";
import { expect, test } from "../test.ts";

/** What a reader reads, and presses. */
const pages = {
  ko: {
    locale: "ko-KR",
    welcome: "눈으로 따라갈 수 있는 진짜 클러스터",
    book: "책",
    contents: "차례",
    row: "마스터용 컴포넌트",
    title: "컨트롤 플레인의 플러그를 뽑다",
    openAll: "모두 펼치기",
    guess: /노드가 정해지지 않는다/,
    noted: "적어 두었습니다",
    verdict: "예측이 맞았습니다. 누가 빠졌든 프로그램은 저마다 자기 몫을 합니다.",
    scene: "실행하기",
    run: "실행",
    faster: "더 빠르게",
    steps: "단계",
    done: /끝남/,
    borneOut: /주장 \d+개가 이번 실행의 로그에서 모두 사실로 확인되었습니다/,
    checkpoint: "확인 문제",
    check: "내 클러스터 확인",
    notYet: "아직입니다. 처음 열려 있는 항목이 무엇이 빠졌는지 알려 줍니다.",
    first: "스케줄러가 아직 멈추지 않았습니다.",
    made: "스케줄러가 멈춰 있습니다. 이제 parked를 만드세요.",
    waits: "parked가 기다리고 있습니다. 스케줄러를 다시 시작하세요.",
    help: ["힌트 1", "힌트 2", "풀이"],
    stop: "멈추기",
    start: "시작하기",
    inspector: "자세히",
    notes: "노트",
    passed: "통과했습니다. 로그에는 멈춤",
    mark: "통과",
  },
  en: {
    locale: "en-GB",
    welcome: "A real cluster, slow enough to see",
    book: "Book",
    contents: "Contents",
    row: "Control-plane components",
    title: "Unplug the control plane",
    openAll: "Open all",
    guess: /^Everything runs/,
    noted: "Noted.",
    verdict: "Not what you predicted. Each program does its own step, whoever else is missing.",
    scene: "Run it",
    run: "Run",
    faster: "Faster",
    steps: "Steps",
    done: /\bdone\b/,
    borneOut: /bears out all \d+ claims of the text/,
    checkpoint: "Checkpoint",
    check: "Look at my cluster",
    notYet: "Not yet. The first open point says what is missing.",
    first: "The scheduler has not been stopped.",
    made: "The scheduler is stopped. Now create parked.",
    waits: "parked waits. Start the scheduler again.",
    help: ["Hint 1", "Hint 2", "A solution"],
    stop: "Stop",
    start: "Start",
    inspector: "Inspector",
    notes: "Notes",
    passed: "Passed. The log shows the stop",
    mark: "passed",
  },
};

/** The row of the contents that carries a number, as it is seen. */
function row(page: Page, number: string): Locator {
  return page
    .getByRole("navigation")
    .getByRole("listitem")
    .filter({ has: page.getByText(number, { exact: true }) });
}

for (const [lang, t] of Object.entries(pages)) {
  test.describe(lang, () => {
    test.use({ locale: t.locale });

    test(`a newcomer comes from the bare address to a passed checkpoint, ${lang}`, async ({ dashboard, page }) => {
      test.setTimeout(240_000);
      await page.goto(dashboard.url);
      await expect(page.getByRole("heading", { name: t.welcome })).toBeVisible();
      expect(new URL(page.url()).pathname).toBe(`/${lang}/`);

      const contents = page.getByRole("navigation", { name: t.book }).getByRole("link", { name: t.contents });
      await contents.click();
      await row(page, "4.2.1").getByRole("link", { name: t.row }).click();
      await expect(page.getByRole("heading", { name: t.title })).toBeVisible();

      // Reading: the steps' text can be opened before anything is run.
      const steps = page.getByRole("list", { name: t.steps, exact: true });
      await page.getByRole("button", { name: t.openAll }).click();
      for (const text of await steps.getByRole("paragraph").all())
        if (await text.textContent()) await expect(text).toBeVisible();

      await page.getByRole("radio", { name: t.guess }).check();
      const answer = page.getByRole("article").getByRole("status");
      await expect(answer.filter({ hasText: t.noted })).toBeVisible();

      const scene = page.getByRole("region", { name: t.scene });
      await scene.getByRole("button", { name: t.run, exact: true }).click();
      const faster = page.getByRole("button", { name: t.faster });
      for (let presses = 0; presses < 4; presses++) await faster.click(); // 1/20 to 1
      const count = await steps.getByRole("heading", { level: 3 }).count();
      expect(count).toBeGreaterThan(10);
      await expect(steps.getByRole("button", { name: t.done })).toHaveCount(count, { timeout: 120_000 });
      await expect(scene.getByRole("status")).toContainText(t.borneOut);
      await expect(answer.filter({ hasText: t.verdict })).toBeVisible();

      const check = page.getByRole("region", { name: t.checkpoint });
      const look = async (says: string) => {
        await check.getByRole("button", { name: t.check }).click();
        await expect(check.getByRole("status")).toHaveText(t.notYet);
        await expect(check.getByText(says)).toBeVisible();
      };
      await look(t.first);
      for (const help of t.help) await check.getByText(help, { exact: true }).click();
      const solution = check.locator("details").filter({ hasText: t.help[2] }).getByRole("listitem").getByRole("code");
      const commands = await solution.allTextContents();
      expect(commands.length).toBeGreaterThan(1);

      const give = async (order: string) => {
        await page.getByRole("tab", { name: t.inspector }).click();
        await page
          .getByRole("tabpanel", { name: t.inspector })
          .getByRole("button", { name: order, exact: true })
          .click();
        const dialog = page.getByRole("dialog");
        await dialog.getByRole("button", { name: order, exact: true }).click();
        await expect(dialog).toBeHidden();
        await page.getByRole("tab", { name: t.notes, exact: true }).click();
      };
      await page
        .getByRole("main")
        .getByRole("button", { name: /^kube-scheduler,/ }) // not the sign that opens it
        .click();
      await give(t.stop);
      await look(t.made);

      const terminal = new Console(page);
      const [create = "", ...rest] = commands;
      await terminal.run(create);
      await expect(terminal.output).toContainText("pod/parked created");
      await look(t.waits);
      const waiting = rest.filter((command) => command.includes(" wait "));
      for (const command of rest) {
        if (waiting.includes(command)) await give(t.start);
        await terminal.run(command);
      }
      await expect(terminal.output).toContainText("Pending");
      await expect(terminal.output).toContainText("condition met", { timeout: 60_000 });
      await check.getByRole("button", { name: t.check }).click();
      await expect(check.getByText(t.passed)).toBeVisible();

      await contents.click();
      await expect(row(page, "4.2.1")).toContainText(t.mark);
    });
  });
}

for (const [lang, section, title] of [
  ["ko", "what", "etcd가 하는 일"],
  ["en", "what", "What etcd can do, in one breath"],
] as const)
  test(`a link in a note opens chapter, section and view, ${lang}`, async ({ dashboard, page }) => {
    await page.goto(`${dashboard.url}/${lang}/row/4.2.1-etcd?view=etcd#${section}`);
    expect(new URL(page.url()).pathname).toBe(`/${lang}/chapter/etcd`);
    await expect(page.getByRole("tab", { name: "etcd" })).toHaveAttribute("aria-selected", "true");
    await expect(page.getByRole("tabpanel", { name: "etcd" })).toBeVisible();
    await expect(page.getByRole("heading", { name: title })).toBeInViewport();
    // It is still there when the page has settled.
    await page.waitForFunction(() => window.kubestage.idle());
    await expect(page.getByRole("heading", { name: title })).toBeInViewport();
  });
