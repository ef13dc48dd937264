// What the reader looks at. The playhead is the player's; everything else that
// makes two readers of one log see different things is here.
import { type Signal, signal } from "@preact/signals-core";
import type { Place } from "../address.ts";
import type { Selection, Term } from "../app.ts";
import type { ViewName } from "../view/view.ts";

export interface Look {
  readonly selection: Signal<Selection | null>;
  readonly view: Signal<ViewName>;
  /** The root of the story that was chosen to be stepped through; 0: whatever happens. */
  readonly chosen: Signal<number>;
  /** The root of the story it is compared with; 0 for none. */
  readonly compared: Signal<number>;
  /** The theme the address asks for, until the reader takes another. */
  readonly theme: Signal<string>;
  /** A part of the picture that a word of the text lights. */
  readonly lit: Signal<Term | null>;
  /** What is open on the stage; see stage/zoom.ts. */
  readonly zoom: Signal<string | null>;
}

/** What a place says, but for what is selected there: that may be a thing of a log that is yet to come. */
export function lookAt(p: Place): Look {
  return {
    selection: signal(null),
    view: signal(p.view),
    chosen: signal(p.story),
    compared: signal(p.compared),
    theme: signal(p.theme),
    lit: signal(null),
    zoom: signal(p.open || null),
  };
}
