// A page that needs no server: a recording is inside it, and the page in both
// languages. It is a whole page, or the stage alone as a frame in another page.
import "../styles/alone.css";
import { readPlace } from "./address.ts";
import type { Lang } from "./app.ts";
import { keepAddress } from "./page/address.ts";
import { Desk } from "./page/desk.ts";
import { openDoor } from "./page/door.ts";
import { Embedded } from "./page/embedded.ts";
import { Frame } from "./page/frame.ts";
import { Theatre } from "./page/theatre.ts";
import { find } from "./panel/html.ts";
import { isTheme, keptTheme } from "./panel/theme.ts";

const query = new URLSearchParams(location.search);
const lang = ([query.get("lang"), document.documentElement.lang].find((l) => l === "ko" || l === "en") ?? "en") as Lang;
const framed = document.body.hasAttribute("data-frame") || query.has("frame");
const theme = [query.get("theme"), keptTheme()].find(isTheme);
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.lang = lang;
document.documentElement.dataset.lang = lang;
document.documentElement.dataset.theme = theme ?? (dark ? "dark" : "light");
document.body.append(find<HTMLTemplateElement>(`[data-${framed ? "framed" : "page"}="${lang}"]`).content);

const source = new Embedded(find("#recording").textContent ?? "");
const wanted = readPlace(location.search, location.hash);
const theatre = new Theatre(lang, source, wanted, Number.POSITIVE_INFINITY);
const { look, player } = theatre;

theatre.onjoin = () => {
  const place = source.here(wanted);
  if (place.log && place.log !== theatre.past.log.id) place.at = null;
  look.chosen.value = place.story;
  look.compared.value = place.compared;
  if (place.at !== null) player.seek(place.at);
  else if (framed) player.seek(player.timeline.first);
  else player.scrub(0);
  look.selection.value = place.focus;
};
if (framed) {
  const frame = new Frame(theatre, source, document.body.dataset.open ?? "");
  openDoor(theatre, frame.doings);
} else {
  const desk = new Desk(theatre, { orders: false, records: false, commands: () => [] });
  keepAddress(theatre);
  openDoor(theatre, desk.doings);
}
theatre.open();
