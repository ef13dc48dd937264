// The tabs of the left side, as keyboard and screen reader users expect them.
export type TabName = "notes" | "transcript" | "stories" | "inspector";

export class Tabs {
  private readonly tabs: HTMLElement[];
  current: TabName = "notes";
  onchange: (name: TabName) => void = () => {};

  constructor(list: HTMLElement) {
    this.tabs = [...list.querySelectorAll<HTMLElement>('[role="tab"]')];
    for (const tab of this.tabs) tab.addEventListener("click", () => this.show(nameOf(tab)));
    list.addEventListener("keydown", (ev) => {
      const i = this.tabs.indexOf(document.activeElement as HTMLElement);
      if (i < 0) return;
      const last = this.tabs.length - 1;
      const to = { ArrowRight: i === last ? 0 : i + 1, ArrowLeft: i === 0 ? last : i - 1, Home: 0, End: last }[ev.key];
      if (to === undefined) return;
      ev.preventDefault();
      ev.stopPropagation();
      this.show(nameOf(this.tabs[to]!));
      this.tabs[to]!.focus();
    });
  }

  show(name: TabName): void {
    this.current = name;
    for (const tab of this.tabs) {
      const on = nameOf(tab) === name;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      const panel = document.getElementById(tab.getAttribute("aria-controls") ?? "");
      if (panel) panel.hidden = !on;
    }
    this.onchange(name);
  }
}

function nameOf(tab: Element): TabName {
  return tab.id.replace("tab-", "") as TabName;
}
