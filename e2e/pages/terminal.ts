import { expect, type Locator, type Page } from "@playwright/test";

/** The terminal below the stage, by keyboard, as it is used. */
export class Terminal {
  private readonly rows: Locator;

  constructor(private readonly page: Page) {
    this.rows = page.locator(".terminal-drawer .xterm-rows");
  }

  get drawer(): Locator {
    return this.page.locator(".terminal-drawer");
  }

  async open(): Promise<void> {
    await this.page.keyboard.press("`");
    await expect(this.page.locator(".xterm-helper-textarea")).toBeFocused();
    await this.shows(/\$$/);
  }

  async type(...keys: string[]): Promise<void> {
    for (const key of keys)
      if (/^(Enter|Tab|Escape|Arrow\w+|(Control|Shift)\+\w+)$/.test(key)) await this.page.keyboard.press(key);
      else await this.page.keyboard.type(key);
  }

  /** Waits until what is on the screen, without the spaces at ends of lines, is so. */
  async shows(what: RegExp): Promise<void> {
    await expect(async () => expect(await this.text()).toMatch(what)).toPass({ timeout: 20_000 });
  }

  async text(): Promise<string> {
    const rows = await this.rows.locator("> div").allTextContents();
    return rows
      .map((row) => row.replaceAll("\u00a0", " ").trimEnd())
      .join("\n")
      .trimEnd();
  }
}
