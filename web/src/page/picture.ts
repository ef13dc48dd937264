// A picture of the stage at the playhead, as a file.

import { find } from "../panel/html.ts";
import { save, still, toPng } from "../panel/still.ts";
import { instant } from "../wire/instant.ts";
import type { Theatre } from "./theatre.ts";

export async function savePicture(theatre: Theatre, as: "svg" | "png"): Promise<void> {
  const { past, player, words } = theatre;
  theatre.views.show("stage"); // what is hidden has no size
  const seq = words.caption.seq || player.playhead.value;
  const state = past.history.at(player.playhead.value);
  const e = past.log.get(seq);
  const from = [
    "Kubestage",
    `log ${past.log.id}`,
    `event ${seq}`,
    state.revision ? `revision ${state.revision}` : "",
    e ? new Date(instant(e.end)).toISOString() : "",
    location.protocol === "file:" ? "" : location.href,
  ];
  const text = still(find<SVGSVGElement>(".stage-svg"), {
    title: words.title,
    caption: words.caption.text,
    from: from.filter(Boolean).join(" · "),
  });
  save(
    `kubestage-${past.log.id}-${seq}.${as}`,
    as === "svg" ? new Blob([text], { type: "image/svg+xml" }) : await toPng(text),
  );
}
