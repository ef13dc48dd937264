// A person's own notes. Given through the page, files are read in the browser and
// handed to the server one by one, which keeps them for this learner. In a note,
// commands have places to fill in, and manifests go into the console.
import type { Lang } from "../app.ts";
import { OFFER } from "../console/console.ts";
import { type Both, pick } from "../i18n/lang.ts";
import { ask } from "../wire/ask.ts";
import { said } from "./refusal.ts";

/** As the server has them. */
const LARGEST = 1 << 20;
const NOTE = /\.(md|markdown|txt)$/i;

const words = {
  none: ["There is no .md, .markdown or .txt file among these.", "고른 것 중에 .md, .markdown, .txt 파일이 없습니다."],
  large: ["larger than 1 MiB", "1MiB보다 큽니다"],
  deleteAll: [
    "Delete all notes that were given here? Your own files stay as they are.",
    "여기에 올린 노트를 모두 지울까요? 원래 파일은 그대로 남습니다.",
  ],
  deleteOne: ["Delete this note? Your own file stays as it is.", "이 노트를 지울까요? 원래 파일은 그대로 남습니다."],
} satisfies Record<string, Both>;

export function mountGiven(root: HTMLElement, lang: Lang): void {
  const status = root.querySelector<HTMLElement>("[data-give-status]");
  if (!status) return;
  const fail = (message: string) => {
    status.textContent = message;
    status.classList.add("bad");
  };
  for (const input of root.querySelectorAll<HTMLInputElement>("[data-give-files]"))
    input.addEventListener("change", async () => {
      status.classList.remove("bad");
      const refused: string[] = [];
      // Editors keep files of their own in hidden folders.
      const files = [...(input.files ?? [])].filter((f) => NOTE.test(f.name) && !/(^|\/)\./.test(pathOf(f)));
      let taken = 0;
      for (const file of files) {
        status.textContent = `${taken + refused.length + 1}/${files.length} ${pathOf(file)}`;
        try {
          if (file.size > LARGEST) throw new RangeError();
          await ask("PUT", `/api/notes/~/${pathOf(file).split("/").map(encodeURIComponent).join("/")}`, {
            file: await base64(file),
          });
          taken++;
        } catch (e) {
          refused.push(`${pathOf(file)}: ${e instanceof RangeError ? pick(lang, words.large) : said(e, lang)}`);
        }
      }
      input.value = "";
      if (files.length === 0) fail(pick(lang, words.none));
      else if (refused.length === 0) location.reload();
      else report(root, status, taken, refused, lang);
    });
  for (const button of root.querySelectorAll<HTMLButtonElement>("[data-drop]"))
    button.addEventListener("click", async () => {
      const name = button.dataset.drop ?? "";
      if (!confirm(pick(lang, name === "~" ? words.deleteAll : words.deleteOne))) return;
      try {
        await ask("DELETE", `/api/notes/${name.split("/").map(encodeURIComponent).join("/")}`);
        location.href = `/${lang}/notes`;
      } catch (e) {
        fail(said(e, lang));
      }
    });
}

/** What was taken is said, and each file that was not, with why. */
function report(root: HTMLElement, status: HTMLElement, taken: number, refused: string[], lang: Lang): void {
  status.textContent = pick(lang, [
    `${taken} taken, ${refused.length} not. Reload to read them.`,
    `${taken}개를 받았고 ${refused.length}개는 받지 못했습니다. 새로 고침하면 읽을 수 있습니다.`,
  ]);
  const list = root.querySelector<HTMLElement>("[data-give-refused]");
  if (!list) return;
  list.replaceChildren(...refused.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  list.hidden = false;
}

function pathOf(file: File): string {
  return file.webkitRelativePath || file.name;
}

function base64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(",")[1] ?? ""); // an empty file has no comma
    reader.onerror = () => reject(reader.error ?? new Error(file.name));
    reader.readAsDataURL(file);
  });
}

/* Commands and manifests of a note */

export function mountNoteCommands(root: HTMLElement): void {
  root.addEventListener("click", (e) => {
    const target = e.target instanceof Element ? e.target : null;
    const manifest = target?.closest<HTMLElement>("[data-manifest]")?.dataset.manifest;
    if (manifest !== undefined) offer({ command: "kubectl apply -f -", manifest });
    const form = target?.closest("[data-fill]")?.closest<HTMLElement>("[data-command]");
    if (form) offer(filled(form));
  });
  root.addEventListener("focusin", (e) => {
    const input = e.target instanceof HTMLInputElement && e.target.dataset.blank ? e.target : null;
    if (input && !input.list) void suggest(input);
  });
}

function offer(detail: string | { command: string; manifest: string }): void {
  document.dispatchEvent(new CustomEvent(OFFER, { detail }));
}

/** The command with what was filled in; an empty place stays as the note has it. */
function filled(form: HTMLElement): string {
  let command = form.dataset.command ?? "";
  for (const input of form.querySelectorAll<HTMLInputElement>("[data-blank]")) {
    const value = input.value.trim();
    if (value) command = command.split(input.dataset.blank ?? "").join(value);
  }
  return command;
}

/** Which objects a place to fill in may mean, by its name. */
const kinds: [RegExp, string][] = [
  [/container/i, "containers"],
  [/pod/i, "pods"],
  [/node/i, "nodes"],
  [/deploy/i, "deployments"],
  [/svc|service/i, "services"],
  [/namespace|^<?ns>?$/i, "namespaces"],
  [/configmap/i, "configmaps"],
];

interface Known {
  object: { resource: string; name: string };
  value?: { spec?: { containers?: { name: string }[] } };
}

/** Offers the names of what is in the cluster now. */
async function suggest(input: HTMLInputElement): Promise<void> {
  const resource = kinds.find(([name]) => name.test(input.dataset.blank ?? ""))?.[1];
  if (!resource) return;
  const list = document.createElement("datalist");
  list.id = `names-${document.querySelectorAll("datalist").length}`;
  input.after(list);
  input.setAttribute("list", list.id);
  try {
    const { objects } = (await (await ask("GET", "/api/state")).json()) as { objects: Known[] };
    const names = objects.flatMap((o) =>
      resource === "containers"
        ? (o.value?.spec?.containers ?? []).map((c) => c.name)
        : o.object.resource === resource
          ? [o.object.name]
          : [],
    );
    list.append(
      ...[...new Set(names)].sort().map((value) => Object.assign(document.createElement("option"), { value })),
    );
  } catch {
    // one can still type
  }
}
