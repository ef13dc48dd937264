// What the scheduler tells of one cycle, as docs/events.md describes it.
export interface Decision {
  result?: string;
  node?: string;
  message?: string;
  attempt?: number;
  evaluated?: number;
  feasible?: number;
  nodes?: {
    name: string;
    rejected?: { plugin: string; reason: string };
    scores?: Record<string, number>;
    total?: number;
  }[];
  /** What narrowed the choice before the filters ("only node-1"), or refused. */
  preFilter?: { plugin: string; reason: string }[];
  /** The node on which others have to make room. */
  nominated?: string;
  steps?: { point: string; start: string; end: string }[];
}
