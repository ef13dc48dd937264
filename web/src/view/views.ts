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

  constructor(
    readonly current: Signal<ViewName>,
    doings: Doings,
  ) {
    const root = (name: ViewName) => find(`[data-view="${name}"]`);
    this.views = {
      sequence: new SequenceView(root("sequence"), doings),
      etcd: new EtcdView(root("etcd"), doings),
      scheduler: new SchedulerView(root("scheduler"), doings),
      object: new ObjectView(root("object"), doings),
    };
    this.tabs = new Tabs<ViewName>(find("[data-views]"), current.peek());
    this.tabs.onchange = (name) => {
      current.value = name;
    };
  }

  show(name: ViewName): void {
    if (this.tabs.current !== name) this.tabs.show(name);
  }

  draw(moment: () => Moment): void {
    this.views[this.current.value]?.draw(moment());
  }
}
