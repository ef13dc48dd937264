import { expect, type Page } from "@playwright/test";

/** Somebody who has a keyboard and no mouse. */
export class Keyboard {
  private constructor(private readonly page: Page) {}

  /** Before the page is opened. */
  static async of(page: Page): Promise<Keyboard> {
    await page.addInitScript(`window.focusSeen = ${focusSeen}`);
    return new Keyboard(page);
  }

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

  /** All that Tab comes to on this page: how much there is, and on what the focus cannot be seen. */
  async stops(): Promise<{ count: number; unseen: string[] }> {
    await this.page.keyboard.press("Tab"); // from now on the browser shows the focus
    const seen = await this.page.evaluate(() => {
      const all = document.querySelectorAll<HTMLElement | SVGElement>(
        "a[href], button, input, select, textarea, summary, [tabindex]",
      );
      const stops = [...all].filter((el) => el.tabIndex >= 0 && !el.matches(":disabled") && el.checkVisibility());
      return stops.map((el) => {
        el.focus();
        return window.focusSeen();
      });
    });
    const at = seen.filter((s) => s !== null);
    return { count: at.length, unseen: at.filter((s) => !s.visible).map((s) => s.name) };
  }

  private focused(): Promise<FocusSeen | null> {
    return this.page.evaluate(() => window.focusSeen());
  }
}

/** What has the focus: its name and role, and whether it looks other than without the focus. */
interface FocusSeen {
  name: string;
  visible: boolean;
}
declare global {
  interface Window {
    focusSeen(): FocusSeen | null;
  }
}

/** Runs in the page. */
function focusSeen(): FocusSeen | null {
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
  // What is drawn shows the focus on a shape of its own, what is written around itself or a parent.
  const around = [el.parentElement, el.parentElement?.parentElement].filter((e) => e instanceof Element);
  const look = () =>
    [el, ...el.children, ...around]
      .map((e) => {
        const s = getComputedStyle(e);
        return [s.outline, s.borderColor, s.boxShadow, s.backgroundColor, s.stroke, s.strokeWidth, s.clipPath].join();
      })
      .join();
  const lit = look();
  el.blur();
  const unlit = look();
  el.focus();
  const box = el.getBoundingClientRect();
  return {
    name: `${(name ?? "").trim().replace(/\s+/g, " ")} (${el.getAttribute("role") ?? el.tagName.toLowerCase()})`,
    visible: lit !== unlit && box.width > 0 && box.bottom > 0 && box.top < innerHeight,
  };
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
