// A log with everything derived from it, without a page: for tests.
import { History } from "../model/history.ts";
import { Stories } from "../model/story.ts";
import { normalSpeed, Timeline } from "../player/display.ts";
import type { Looking, Material } from "../stage/compose.ts";
import type { KubeEvent } from "../wire/event.ts";
import { EventLog } from "../wire/log.ts";

export function material(events: readonly KubeEvent[], speed: number = normalSpeed): Material {
  const log = new EventLog();
  const history = new History(log);
  log.reset("test", 1);
  log.append(events);
  const stories = new Stories();
  const timeline = new Timeline(speed);
  for (const e of events) {
    timeline.push(e, history.lane(e.seq)!);
    stories.push(e, history.lane(e.seq)!);
  }
  return { log, history, stories, timeline };
}

export const plain: Looking = {
  lang: "en",
  shape: "wide",
  selection: null,
  lit: null,
  zoom: null,
  far: false,
  still: false,
  paused: false,
};
