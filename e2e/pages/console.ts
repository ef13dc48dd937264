import { expect, type Locator, type Page } from "@playwright/test";

/** The kubectl console on the left side of every page. */
export class Console {
  private readonly root: Locator;

  constructor(private readonly page: Page) {
    this.root = page.locator('[data-mount="console"]');
  }

  get output(): Locator {
    return this.root.locator(".console-output");
  }

  /** Types a command, runs it, and waits until kubectl has answered. */
  async run(command: string): Promise<void> {
    await this.type(command);
    await expect(this.root.locator("button.primary")).toBeVisible();
  }

  /** Types a command and runs it, without waiting. */
  async type(command: string): Promise<void> {
    const line = this.root.locator("input.console-input");
    await line.fill(command);
    await line.press("Enter");
    await expect(this.output).toContainText(`$ ${command}`);
  }

  /** What is typed into, once the editor has been fetched. */
  get editor(): Locator {
    return this.root.locator(".cm-content");
  }

  /** Opens the editor and puts a manifest into what `-f -` reads. */
  async write(yaml: string): Promise<void> {
    if (await this.root.locator("#console-editor").isHidden())
      await this.root.locator('[aria-controls="console-editor"]').click();
    // As a person does it: fill() edits the page behind the editor's back, with inline styles, which are refused.
    await this.editor.press("ControlOrMeta+a");
    await this.editor.press("Delete");
    await this.page.keyboard.insertText(yaml);
  }
}
