import { expect, type Locator, type Page } from "@playwright/test";

/** A chapter's text beside the stage. */
export class Chapter {
  private readonly root: Locator;

  constructor(page: Page) {
    this.root = page.locator("[data-chapter]");
  }

  async run(): Promise<void> {
    await this.root.locator("[data-run]").click();
  }

  /** What the scene runs, in order. */
  get commands(): Locator {
    return this.root.locator("[data-command]");
  }

  get claims(): Locator {
    return this.root.locator("[data-claim]");
  }

  get status(): Locator {
    return this.root.locator("[data-run-status]");
  }

  get checkStatus(): Locator {
    return this.root.locator("[data-check-status]");
  }

  /** The hints and, last, the solution: those that are offered now. */
  get help(): Locator {
    return this.root.locator("[data-help] > details:visible");
  }

  get solution(): Locator {
    return this.root.locator("[data-solution]");
  }

  get steps(): Locator {
    return this.root.locator("[data-step]");
  }

  step(id: string): Locator {
    return this.root.locator(`[data-step="${id}"]`);
  }

  caption(id: string): Locator {
    return this.step(id).locator("[data-step-caption]");
  }

  async choose(option: string): Promise<void> {
    await this.root.locator(`[data-option="${option}"] input`).check();
  }

  get answer(): Locator {
    return this.root.locator("[data-answer]");
  }

  /** Asks the server whether the checkpoint is met. */
  async check(): Promise<void> {
    await this.root.locator("[data-check-run]").click();
  }

  get passed(): Locator {
    return this.root.locator("[data-passed]");
  }

  fact(id: string): Locator {
    return this.root.locator(`[data-fact="${id}"]`);
  }

  term(id: string): Locator {
    return this.root.locator(`[data-term="${id}"]:visible`).first();
  }

  async hasStepsDone(count: number): Promise<void> {
    await expect(this.root.locator('[data-step][data-state="done"]')).toHaveCount(count, { timeout: 90_000 });
  }
}
