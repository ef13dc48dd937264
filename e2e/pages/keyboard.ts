import { expect, type Page } from "@playwright/test";

/** Somebody who has a keyboard and no mouse. */
export class Keyboard {
  constructor(private readonly page: Page) {}

  /** Goes on with Tab until what has the focus is called so, and fails when the focus cannot be seen on the way. */
  async tabTo(name: RegExp, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
    const seen: string[] = [];
    for (let presses = 0; presses < 200; presses++) {
      await this.page.keyboard.press(key);
      const at = await this.focused();
      if (!at) continue; // the browser's own bars
      expect(at.visible, `the focus can be seen on ${at.name}`).toBe(true);
      if (name.test(at.name)) return;
      seen.push(at.name);
    }
    throw new Error(`Tab never came to ${name}; it came to:\n${seen.join("\n")}`);
  }

  /** What has the focus: its name and role, and whether it looks other than without the focus. */
  private focused(): Promise<{ name: string; visible: boolean } | null> {
    return this.page.evaluate(() => {
      const el = document.activeElement;
      if (!(el instanceof HTMLElement || el instanceof SVGElement) || el === document.body) return null;
      const labelled = (el.getAttribute("aria-labelledby") ?? "")
        .split(" ")
        .map((id) => document.getElementById(id)?.textContent ?? "")
        .join(" ");
      const name =
        el.getAttribute("aria-label") ||
        labelled.trim() ||
        (el instanceof HTMLInputElement ? [...(el.labels ?? [])].map((l) => l.textContent).join(" ") : el.textContent);
      const look = () => {
        const parts: string[] = [];
        // What is drawn shows the focus on a shape of its own, what is written around itself or a parent.
        const around: Element[] = [el.parentElement, el.parentElement?.parentElement].filter(
          (e) => e instanceof Element,
        );
        for (const e of [el, ...el.children, ...around]) {
          const s = getComputedStyle(e);
          parts.push(s.outline, s.borderColor, s.boxShadow, s.backgroundColor, s.stroke, s.strokeWidth, s.clipPath);
        }
        return parts.join();
      };
      const lit = look();
      el.blur();
      const unlit = look();
      el.focus();
      const box = el.getBoundingClientRect();
      return {
        name: `${(name ?? "").trim().replace(/\s+/g, " ")} (${el.getAttribute("role") ?? el.tagName.toLowerCase()})`,
        visible: lit !== unlit && box.width > 0 && box.bottom > 0 && box.top < innerHeight,
      };
    });
  }
}

/** Somebody who hears what live regions say, and nothing else. */
export class Listener {
  private constructor(private readonly page: Page) {}

  /** Before the page is opened. */
  static async of(page: Page): Promise<Listener> {
    await page.addInitScript(() => {
      const heard: { seq: number; text: string }[] = [];
      Object.assign(window, { heard });
      new MutationObserver((changes) => {
        for (const c of changes)
          for (const n of c.addedNodes) {
            const region = (n instanceof Element ? n : n.parentElement)?.closest(
              "[aria-live], [role=status], [role=log]",
            );
            const text = n.textContent?.trim();
            if (region && text) heard.push({ seq: n instanceof HTMLElement ? Number(n.dataset.seq ?? 0) : 0, text });
          }
      }).observe(document, { childList: true, subtree: true });
    });
    return new Listener(page);
  }

  async all(): Promise<{ seq: number; text: string }[]> {
    return this.page.evaluate(() => (window as unknown as { heard: { seq: number; text: string }[] }).heard);
  }

  /** Waits until all of it has been said, in this order, after the n-th thing that was heard. */
  async hears(said: RegExp[], after = 0): Promise<void> {
    await expect(async () => {
      let at = after;
      const heard = (await this.all()).map((h) => h.text);
      for (const what of said) {
        const found = heard.findIndex((text, i) => i >= at && what.test(text));
        expect(found, `${what} in:\n${heard.slice(at).join("\n")}`).toBeGreaterThanOrEqual(0);
        at = found;
      }
    }).toPass({ timeout: 60_000 });
  }
}
