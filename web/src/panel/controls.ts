// What a person can do to a component and its link: buttons beside what the
// inspector says about them, and a dialog that says in words what will come
// of it before anything is done.
import type { Lang } from "../app.ts";
import { componentOrders, DELAY, linkOrders, type Order, orderWord, question } from "../i18n/orders.ts";
import { word } from "../i18n/ui.ts";
import { h, type VNode } from "../stage/node.ts";
import { ask, Refused } from "../wire/ask.ts";
import type { EventLog } from "../wire/log.ts";
import { find, htmlDrawing } from "./html.ts";

/** What the log last said of a component and of its link: now, wherever the playhead is. */
interface Now {
  health: string;
  link: "whole" | "cut" | "delayed";
}

export class Controls {
  private components = new Set<string>();
  private links = new Set<string>();
  private now = new Map<string, Now>();
  private version = 0;
  private readonly dialog = find<HTMLDialogElement>("[data-confirm]");
  private readonly drawing;
  private pending: { order: Order; name: string } | null = null;
  private busy = false;

  constructor(
    private readonly lang: Lang,
    log: EventLog,
    /** Whether there is a cluster of ours to give orders to. */
    private enabled: boolean,
    private readonly changed: () => void,
  ) {
    this.drawing = htmlDrawing(find("[data-confirm-body]"));
    log.listen({
      append: (events) => {
        for (const e of events) {
          if (e.kind === "component" && e.to) this.learn(e.to, { health: e.verb });
          if (e.kind === "link")
            this.learn(String(e.detail?.link ?? e.to ?? ""), {
              link: e.verb === "cut" || e.verb === "delayed" ? e.verb : "whole",
            });
        }
      },
      reset: () => this.now.clear(),
    });
    this.dialog.addEventListener("click", (ev) => {
      const target = ev.target as Element;
      if (target === this.dialog || target.closest("[data-cancel]")) this.dialog.close();
      else if (target.closest("[data-do]")) void this.give();
    });
  }

  /** Changes whenever the buttons may. */
  get key(): number {
    return this.version;
  }

  private learn(name: string, news: Partial<Now>): void {
    this.now.set(name, { ...(this.now.get(name) ?? { health: "ready", link: "whole" }), ...news });
    this.version++;
    this.changed();
  }

  /** Asks what there is to be given orders to; a server that has nothing of the kind says so, and there are no buttons. */
  private async find(): Promise<void> {
    const names = async (path: string): Promise<string[]> => {
      try {
        const all = (await (await ask("GET", path)).json()) as { name: string }[];
        return all.map((x) => x.name);
      } catch {
        return [];
      }
    };
    const [components, links] = await Promise.all([names("/api/components"), names("/api/links")]);
    this.components = new Set(components);
    this.links = new Set(links);
    this.version++;
    this.changed();
  }

  /** The buttons for a part of the picture. */
  buttons(part: string): VNode | null {
    const name = part.startsWith("node:") ? `kubelet:${part.slice(5)}` : part;
    if (this.enabled) {
      this.enabled = false;
      void this.find();
    }
    const orders: Order[] = [];
    if (this.components.has(name) && !part.startsWith("node:")) orders.push(...componentOrders);
    if (this.links.has(name)) orders.push(...linkOrders);
    if (orders.length === 0) return null;
    const now = this.now.get(name) ?? { health: "ready", link: "whole" };
    return h(
      "div",
      { key: `orders ${name}`, class: "orders" },
      h("h3", null, word(this.lang, "tryIt")),
      h("p", { class: "hint" }, word(this.lang, "tryItWords")),
      h(
        "div",
        { class: "order-row" },
        orders.map((o) =>
          h(
            "button",
            {
              key: o,
              type: "button",
              class: "small-button",
              "data-order": o,
              "data-name": name,
              disabled: !fits(o, now),
            },
            orderWord(this.lang, o),
          ),
        ),
      ),
    );
  }

  /** Opens the dialog when a click was on a button. */
  click(target: Element): boolean {
    const button = target.closest("[data-order]");
    if (!button) return false;
    this.pending = { order: button.getAttribute("data-order") as Order, name: button.getAttribute("data-name")! };
    this.draw("");
    this.dialog.showModal();
    return true;
  }

  private draw(error: string): void {
    const { order, name } = this.pending!;
    const q = question(this.lang, order, name);
    this.drawing.draw(
      h("h2", { key: "title", id: "confirm-title" }, q.title),
      ...q.text.map((t, i) => h("p", { key: `p${i}` }, t)),
      h("p", { key: "error", class: "confirm-error", role: "alert" }, error),
      h(
        "div",
        { key: "buttons", class: "confirm-buttons" },
        h("button", { type: "button", "data-cancel": true }, word(this.lang, "cancel")),
        h(
          "button",
          { type: "button", class: "primary", "data-do": true, disabled: this.busy },
          orderWord(this.lang, order),
        ),
      ),
    );
  }

  private async give(): Promise<void> {
    if (!this.pending || this.busy) return;
    const { order, name } = this.pending;
    const kind = (linkOrders as readonly string[]).includes(order) ? "links" : "components";
    this.busy = true;
    this.draw("");
    let error = "";
    try {
      await ask("POST", `/api/${kind}/${name}/${order}`, {
        confirm: name,
        lang: this.lang,
        ...(order === "delay" ? { delay: DELAY } : {}),
      });
    } catch (e) {
      error = e instanceof Refused ? [e.message, e.hint].filter(Boolean).join(". ") : word(this.lang, "lost");
    }
    this.busy = false;
    if (error) this.draw(error);
    else this.dialog.close();
  }
}

/** Whether an order makes sense now; the server has the last word. */
function fits(order: Order, now: Now): boolean {
  const down = now.health === "stopped";
  const runs = !down && now.health !== "exited" && now.health !== "backoff" && now.health !== "killed";
  switch (order) {
    case "stop":
      return !down;
    case "kill":
      return runs;
    case "freeze":
      return runs && now.health !== "frozen";
    case "thaw":
      return now.health === "frozen";
    case "start":
      return !runs;
    case "cut":
      return now.link !== "cut";
    case "delay":
      return now.link === "whole";
    case "heal":
      return now.link !== "whole";
  }
}
