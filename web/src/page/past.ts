// What has happened, as far as this page knows: the log, and what is derived
// from it while it grows.
import { History } from "../model/history.ts";
import { Ledger } from "../model/ledger.ts";
import { Milestones } from "../model/milestones.ts";
import { Stories } from "../model/story.ts";
import { EventLog } from "../wire/log.ts";

export class Past {
  readonly log: EventLog;
  readonly history: History;
  readonly ledger: Ledger;
  stories = new Stories();
  milestones = new Milestones();

  /** keep is how many events are held before the oldest are let go of. */
  constructor(keep: number) {
    this.log = new EventLog(keep);
    this.history = new History(this.log);
    this.ledger = new Ledger(this.log);
    this.log.listen({
      append: (events) => {
        for (const e of events) {
          const lane = this.history.lane(e.seq)!;
          this.stories.push(e, lane);
          this.milestones.push(e, lane);
        }
      },
      reset: (first) => {
        this.stories = new Stories(first);
        this.milestones = new Milestones();
      },
      dropping: (before) => {
        this.stories.drop(before);
        this.milestones.drop(before);
      },
    });
  }
}
