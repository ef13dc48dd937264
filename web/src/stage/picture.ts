// The picture behind the tokens: a pure function of the state at the playhead
// and of what the viewer looks at. Every box that can be asked about carries
// data-part, what can be opened data-zoom; what is chosen or lit by a word of
// the text carries a class.
import { clients } from "./clients.ts";
import { cloud, controllers } from "./controllers.ts";
import { hall } from "./hall.ts";
import { ledger } from "./ledger.ts";
import { lines } from "./lines.ts";
import type { VNode } from "./node.ts";
import { nodes } from "./nodes.ts";
import type { View } from "./part.ts";
import { quietLane } from "./quiet.ts";
import { scheduler } from "./scheduler.ts";

export function picture(v: View): VNode[] {
  return [
    lines(v),
    clients(v),
    hall(v),
    ledger(v),
    controllers(v),
    scheduler(v),
    ...(v.state.cloud ? [cloud(v)] : []),
    quietLane(v),
    ...nodes(v),
  ];
}
