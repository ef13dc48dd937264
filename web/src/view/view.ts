// A view draws the log at the playhead into its part of the page, in place of
// the picture. What it draws follows from the moment it is given and nothing
// else; where the reader scrolled is the browser's.
import type { Lang, Selection } from "../app.ts";
import type { History } from "../model/history.ts";
import type { Ledger } from "../model/ledger.ts";
import type { Stories, Story } from "../model/story.ts";
import type { EventLog } from "../wire/log.ts";

export const viewNames = ["stage", "sequence", "etcd", "scheduler", "object"] as const;
export type ViewName = (typeof viewNames)[number];

export function isView(name: string): name is ViewName {
  return (viewNames as readonly string[]).includes(name);
}

export interface Moment {
  lang: Lang;
  log: EventLog;
  history: History;
  stories: Stories;
  ledger: Ledger;
  /** The last event that has happened. */
  playhead: number;
  /** The last event of the foreground until then; 0 before the first. */
  focus: number;
  /** The chosen story, or that of the playhead. */
  story: Story | undefined;
  /** The root of the story it is compared with; 0 when it is not. */
  compared: number;
  selection: Selection | null;
}

/** What a reader can do in a view. */
export interface Doings {
  select(s: Selection): void;
  seek(seq: number): void;
  compare(root: number): void;
  titleOf(root: number): string;
  redraw(): void;
}

export interface View {
  draw(m: Moment): void;
}
