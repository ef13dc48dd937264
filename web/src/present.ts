// The presenter's page: what the page that leads shows, what comes next, and a
// remote control of it. Clickers send Page Down and Page Up, or a full stop.
import type { Lang } from "./app.ts";
import { openLine } from "./follow/wire.ts";
import { word } from "./i18n/ui.ts";
import { find } from "./panel/html.ts";

const lang: Lang = document.documentElement.lang === "ko" ? "ko" : "en";
const line = openLine("remote", {
  message(m) {
    if (m.type === "presence") {
      find("[data-presence]").textContent = m.leading
        ? word(lang, "followersOf", m.followers)
        : word(lang, "nobodyPresents");
    }
    if (m.type === "notes") {
      find("[data-title]").textContent = m.title;
      find("[data-now]").textContent = m.now;
      find("[data-evidence]").textContent = m.evidence;
      find("[data-next]").textContent = m.next || word(lang, "nothingNext");
      find("[data-notes]").replaceChildren(
        ...m.notes
          .split("\n\n")
          .filter((p) => p.trim() !== "")
          .map((p) => Object.assign(document.createElement("p"), { textContent: p })),
      );
    }
  },
});

function ask(action: string): void {
  line.send(JSON.stringify({ type: "do", action }));
}

for (const b of document.querySelectorAll<HTMLButtonElement>("[data-do]"))
  b.addEventListener("click", () => ask(b.dataset.do ?? ""));

const keys: Record<string, string> = {
  PageDown: "forward",
  ArrowRight: "forward",
  PageUp: "back",
  ArrowLeft: "back",
  ".": "play",
  " ": "play",
};
document.addEventListener("keydown", (ev) => {
  const action = keys[ev.key];
  if (!action || ev.ctrlKey || ev.metaKey || ev.altKey) return;
  if (ev.key === " " && ev.target instanceof HTMLButtonElement) return; // it presses the button
  ev.preventDefault();
  ask(action);
});

let began = Date.now();
find("[data-restart]").addEventListener("click", () => {
  began = Date.now();
  tick();
});
function tick(): void {
  const s = Math.floor((Date.now() - began) / 1000);
  find("[data-elapsed]").textContent = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}
setInterval(tick, 1000);
