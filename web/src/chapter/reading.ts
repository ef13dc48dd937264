// Reading: the pages before and after, bookmarks and remarks at the headings,
// and the file with which a learner takes the progress along.
import type { App, Lang } from "../app.ts";
import { type Both, pick } from "../i18n/lang.ts";
import { ask } from "../wire/ask.ts";
import { mountGiven, mountNoteCommands } from "./ownnotes.ts";
import { said } from "./refusal.ts";

const words = {
  bookmark: ["Bookmark", "책갈피"],
  remark: ["Remark", "메모"],
  yours: ["Your remark", "내 메모"],
  save: ["Save", "저장"],
  cancel: ["Cancel", "취소"],
  hint: ["Plain text. An empty remark is deleted.", "일반 텍스트로 씁니다. 비우면 지워집니다."],
  importing: ["Reading the file.", "파일을 읽고 있습니다."],
} satisfies Record<string, Both>;

interface Kept {
  bookmarks?: { section: string }[];
  remarks?: { section: string; text: string }[];
}

export function mountReading(root: HTMLElement, app: App): void {
  document.addEventListener("keydown", (e) => turn(root, e));
  const chapter = root.querySelector<HTMLElement>("[data-chapter]");
  if (chapter && document.body.dataset.keeps !== undefined) void mountSections(chapter, app.lang);
  mountImport(root, app.lang);
  mountGiven(root, app.lang);
  mountNoteCommands(root, app.lang);
}

/** [ and ] turn to the chapter before and after. */
function turn(root: HTMLElement, e: KeyboardEvent): void {
  if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
  if (e.target instanceof Element && e.target.closest("input, textarea, select, [contenteditable]")) return;
  const way = e.key === "[" ? "before" : e.key === "]" ? "after" : "";
  if (way) root.querySelector<HTMLAnchorElement>(`a[data-turn="${way}"]`)?.click();
}

/* Bookmarks and remarks */

async function mountSections(chapter: HTMLElement, lang: Lang): Promise<void> {
  const id = chapter.dataset.chapter ?? "";
  let kept: Kept;
  try {
    kept = (await (await ask("GET", `/api/progress/${id}`)).json()) as Kept;
  } catch {
    return; // without an answer nothing could be kept either
  }
  const marked = new Set(kept.bookmarks?.map((b) => b.section));
  const remarks = new Map(kept.remarks?.map((r) => [r.section, r.text]));
  for (const section of chapter.querySelectorAll<HTMLElement>("[data-step], .chapter-note")) {
    const name = section.dataset.step ?? section.id;
    const title = section.querySelector(".step-name, h3")?.textContent?.trim() ?? name;
    section.append(...tools(`/api/progress/${id}`, name, title, lang, marked.has(name), remarks.get(name) ?? ""));
  }
}

function tools(at: string, section: string, title: string, lang: Lang, marked: boolean, text: string): HTMLElement[] {
  const bar = document.createElement("div");
  bar.className = "section-tools";
  const mark = tool("bookmark", `${pick(lang, words.bookmark)}: ${title}`);
  const write = tool("remark", `${pick(lang, words.remark)}: ${title}`);
  bar.append(mark, write);
  mark.setAttribute("aria-pressed", String(marked));

  const shown = document.createElement("p");
  shown.className = "own-remark";
  const status = document.createElement("p");
  status.className = "own-remark-status";
  status.setAttribute("role", "status");
  const form = document.createElement("form");
  form.className = "own-remark-form";
  form.hidden = true;
  const area = document.createElement("textarea");
  area.rows = 4;
  area.maxLength = 20_000;
  area.setAttribute("aria-label", `${pick(lang, words.yours)}: ${title}`);
  const hint = document.createElement("p");
  hint.className = "own-remark-hint";
  hint.textContent = pick(lang, words.hint);
  const save = button("primary", pick(lang, words.save), "submit");
  const cancel = button("secondary", pick(lang, words.cancel), "button");
  const row = document.createElement("p");
  row.className = "own-remark-buttons";
  row.append(save, cancel);
  form.append(area, hint, row);

  const show = (t: string) => {
    text = t;
    shown.textContent = t;
    shown.hidden = t === "";
    write.classList.toggle("has", t !== "");
  };
  show(text);
  const edit = (on: boolean) => {
    form.hidden = !on;
    shown.hidden = on || text === "";
    write.setAttribute("aria-expanded", String(on));
    if (on) {
      area.value = text;
      area.focus();
    }
  };
  edit(false);
  const attempt = async (method: string, path: string, body: unknown, then: () => void) => {
    status.textContent = "";
    try {
      await ask(method, path, body);
      then();
    } catch (e) {
      status.textContent = said(e, lang);
    }
  };
  mark.addEventListener("click", () => {
    const on = mark.getAttribute("aria-pressed") !== "true";
    void attempt(on ? "PUT" : "DELETE", `${at}/bookmarks/${section}`, {}, () =>
      mark.setAttribute("aria-pressed", String(on)),
    );
  });
  write.addEventListener("click", () => edit(form.hidden !== false));
  const leave = () => {
    edit(false);
    write.focus();
  };
  cancel.addEventListener("click", leave);
  form.addEventListener("keydown", (e) => {
    if (e.key === "Escape") leave();
    e.stopPropagation(); // letters of a remark move no playhead
  });
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    const next = area.value.trim();
    void attempt("PUT", `${at}/remarks/${section}`, { text: next }, () => {
      show(next);
      leave();
    });
  });
  return [bar, shown, form, status];
}

function button(className: string, text: string, type: "submit" | "button"): HTMLButtonElement {
  const b = document.createElement("button");
  b.type = type;
  b.className = className;
  b.textContent = text;
  return b;
}

const SVG = "http://www.w3.org/2000/svg";
const shapes = {
  bookmark: "M6 3.5h12v17l-6-4.5-6 4.5z",
  remark: "M4 4.5h16v11H11l-4.5 4v-4H4z",
};

function tool(shape: keyof typeof shapes, name: string): HTMLButtonElement {
  const b = button(`section-tool ${shape}`, "", "button");
  b.setAttribute("aria-label", name);
  b.title = name;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", shapes[shape]);
  svg.append(path);
  b.append(svg);
  return b;
}

/* Taking it along */

function mountImport(root: HTMLElement, lang: Lang): void {
  const input = root.querySelector<HTMLInputElement>("[data-import]");
  const status = root.querySelector<HTMLElement>("[data-import-status]");
  if (!input || !status) return;
  input.addEventListener("change", async () => {
    const file = input.files?.[0];
    if (!file) return;
    status.textContent = pick(lang, words.importing);
    status.classList.remove("bad");
    try {
      await ask("POST", "/api/progress", file);
      location.reload();
    } catch (e) {
      status.textContent = said(e, lang);
      status.classList.add("bad");
    }
    input.value = ""; // so that the same file may be chosen again
  });
}
