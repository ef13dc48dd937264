// The views and the tabs that change between them. The picture is the first;
// of the others only the one that is seen is drawn.
import type { Signal } from "@preact/signals-core";
import { find } from "../panel/html.ts";
import { Tabs } from "../panel/tabs.ts";
import { EtcdView } from "./etcdview.ts";
import { ObjectView } from "./objectview.ts";
import { SchedulerView } from "./schedulerview.ts";
import { SequenceView } from "./sequenceview.ts";
import type { Doings, Moment, View, ViewName } from "./view.ts";

export class Views {
  private readonly views: Partial<Record<ViewName, View>>;
  private readonly tabs: Tabs<ViewName>;
  /** What was drawn last; a view is a function of its moment, so the same need not be drawn again. */
  private drawn = "";

  constructor(
    readonly current: Signal<ViewName>,
    doings: Doings,
  ) {
    const root = (name: ViewName) => find(`[data-view="${name}"]`);
    const own: Doings = {
      ...doings,
      redraw: () => {
        this.drawn = "";
        doings.redraw();
      },
    };
    this.views = {
      sequence: new SequenceView(root("sequence"), own),
      etcd: new EtcdView(root("etcd"), own),
      scheduler: new SchedulerView(root("scheduler"), own),
      object: new ObjectView(root("object"), own),
    };
    this.tabs = new Tabs<ViewName>(find("[data-views]"), current.peek());
    this.tabs.onchange = (name) => {
      current.value = name;
    };
  }

  show(name: ViewName): void {
    if (this.tabs.current !== name) this.tabs.show(name);
  }

  draw(m: Moment): void {
    const view = this.views[this.current.value];
    const key = [this.current.value, m.log.id, m.playhead, m.focus, m.story?.root, m.story?.events.length, m.compared]
      .concat(JSON.stringify(m.selection), m.compared ? m.log.last : 0)
      .join(" ");
    if (!view || key === this.drawn) return;
    this.drawn = key;
    view.draw(m);
  }
}
