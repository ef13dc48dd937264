// The dialog from which a page begins to lead, and which shows a class how to
// join: a QR code, an address, a code.
import type { Lang } from "../app.ts";
import { word } from "../i18n/ui.ts";
import { ask } from "../wire/ask.ts";

interface Info {
  on: boolean;
  code?: string;
  links?: string[];
  presenter?: string[];
}

export class ShareDialog {
  private readonly dialog = document.createElement("dialog");
  private readonly body = document.createElement("div");
  private readonly start = document.createElement("button");
  private readonly count = document.createElement("p");
  private on = false;
  private followers = 0;

  constructor(
    private readonly lang: Lang,
    private readonly lead: (on: boolean) => void,
  ) {
    const w = (key: Parameters<typeof word>[1]) => word(lang, key);
    this.dialog.className = "legend share";
    this.dialog.setAttribute("aria-labelledby", "share-title");
    const head = element("div", "legend-head");
    const title = element("h2", "", w("presentTitle"));
    title.id = "share-title";
    const close = button(w("close"), () => this.dialog.close());
    head.append(title, close);
    this.start.type = "button";
    this.start.className = "primary";
    this.start.addEventListener("click", () => this.lead(!this.on));
    this.count.setAttribute("role", "status");
    const view = element("a", "", w("openPresenter")) as HTMLAnchorElement;
    view.href = `/${lang}/present`;
    view.target = "_blank";
    view.rel = "noopener";
    const line = element("div", "share-line");
    line.append(this.start, view);
    this.dialog.append(head, element("p", "", w("presentHelp")), line, this.count, this.body);
    document.body.append(this.dialog);
    this.dialog.addEventListener("click", (ev) => {
      if (ev.target === this.dialog) this.dialog.close();
    });
    this.draw();
  }

  leading(on: boolean): void {
    this.on = on;
    this.draw();
  }

  presence(followers: number): void {
    this.followers = followers;
    this.draw();
  }

  private draw(): void {
    this.start.textContent = word(this.lang, this.on ? "stopPresenting" : "startPresenting");
    this.count.textContent = this.on ? word(this.lang, "followersOf", this.followers) : "";
  }

  async open(): Promise<void> {
    this.dialog.showModal();
    let info: Info;
    try {
      info = (await (await ask("GET", "/api/share")).json()) as Info;
    } catch {
      info = { on: false };
    }
    this.body.replaceChildren();
    const w = (key: Parameters<typeof word>[1]) => word(this.lang, key);
    const [link] = info.links ?? [];
    if (!info.on || !link) {
      this.body.append(element("p", "hint", w("notShared")));
      return;
    }
    const code = document.createElement("img");
    code.src = "/api/share/code.svg";
    code.alt = w("qrCode");
    code.className = "share-code";
    const facts = element("div", "share-facts");
    const url = new URL(link);
    facts.append(
      element("p", "", w("joinAt")),
      element("p", "share-address", url.host),
      element("p", "", w("joinCode")),
      element("p", "share-address", info.code ?? ""),
    );
    for (const other of info.links?.slice(1) ?? []) facts.append(element("p", "hint", w("orAt") + new URL(other).host));
    const both = element("div", "share-join");
    both.append(code, facts);
    this.body.append(both);
    const [remote] = info.presenter ?? [];
    if (remote) {
      const a = element("a", "", w("remoteLink")) as HTMLAnchorElement;
      a.href = remote;
      const p = element("p", "hint", w("remoteHelp"));
      p.append(" ", a);
      this.body.append(p);
    }
  }
}

function element(name: string, className: string, text = ""): HTMLElement {
  const el = document.createElement(name);
  if (className) el.className = className;
  if (text) el.textContent = text;
  return el;
}

function button(text: string, act: () => void): HTMLButtonElement {
  const b = document.createElement("button");
  b.type = "button";
  b.textContent = text;
  b.addEventListener("click", act);
  return b;
}
