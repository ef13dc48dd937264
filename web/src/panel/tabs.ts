// A row of tabs, as keyboard and screen reader users expect them.
/** Those of the left side. */
export const tabNames = ["notes", "transcript", "stories", "inspector"] as const;
export type TabName = (typeof tabNames)[number];

export class Tabs<Name extends string> {
  private readonly tabs: HTMLElement[];
  onchange: (name: Name) => void = () => {};

  constructor(
    list: HTMLElement,
    public current: Name,
  ) {
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
    this.mark();
  }

  show(name: Name): void {
    this.current = name;
    this.mark();
    this.onchange(name);
  }

  private mark(): void {
    for (const tab of this.tabs) {
      const on = nameOf(tab) === this.current;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      const panel = document.getElementById(tab.getAttribute("aria-controls") ?? "");
      if (panel) panel.hidden = !on;
    }
  }
}

function nameOf<Name extends string>(tab: HTMLElement): Name {
  return (tab.dataset.tab ?? "") as Name;
}
