// A person's own notes. Given through the page, files are read in the browser and
// handed to the server one by one, which keeps them for this learner. In a note,
// commands have places to fill in, and manifests go into the console.
import type { App, Lang } from "../app.ts";
import { OFFER } from "../console/console.ts";
import { postLines } from "../console/stream.ts";
import { type Both, pick } from "../i18n/lang.ts";
import { ask } from "../wire/ask.ts";
import { type KubeEvent, objectKey } from "../wire/event.ts";
import type { Comparison, RowState } from "./comparison.ts";
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
  asking: ["Asking kubectl.", "kubectl에 묻고 있습니다."],
  same: ["It says the same now.", "지금도 똑같이 나옵니다."],
  differs: ["Struck through: then. Underlined: now.", "취소선은 노트를 적을 때, 밑줄은 지금입니다."],
  side: ["now", "지금"],
  noKey: [
    "not in the log: nobody has written such a key here",
    "로그에 없습니다. 여기서는 아무도 이런 키를 쓰지 않았습니다",
  ],
  noObject: ["not in this cluster's log", "이 클러스터의 로그에 없습니다"],
  deleteOne: ["Delete this note? Your own file stays as it is.", "이 노트를 지울까요? 원래 파일은 그대로 남습니다."],
} satisfies Record<string, Both>;

const states: Record<RowState, Both> = {
  same: ["the same", "그대로"],
  changed: ["changed", "바뀜"],
  gone: ["then only", "그때만"],
  new: ["now only", "지금만"],
};

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

export function mountNoteCommands(root: HTMLElement, lang: Lang): void {
  root.addEventListener("click", (e) => {
    const target = e.target instanceof Element ? e.target : null;
    const now = target?.closest<HTMLButtonElement>("[data-now]");
    if (now) void compareWithNow(now, lang);
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

/** Runs a command of the note again, and shows what it says beside what the note has from it. */
async function compareWithNow(button: HTMLButtonElement, lang: Lang): Promise<void> {
  const box = button.closest<HTMLElement>("[data-then]");
  const status = box?.querySelector<HTMLElement>("[role=status]");
  const shown = box?.querySelector<HTMLElement>(".note-comparison");
  if (!box || !status || !shown) return;
  button.disabled = true;
  status.classList.remove("bad");
  status.textContent = pick(lang, words.asking);
  try {
    let now = "";
    await postLines("/api/kubectl", { command: button.dataset.now, lang }, (m) => {
      if (typeof m.data === "string") now += m.data;
      else if (typeof m.error === "string") now += `${m.error}\n`;
    });
    const { compare } = await import("./comparison.ts");
    const found = compare(box.dataset.then ?? "", now);
    const same = (found.kind === "table" ? found.rows : found.lines).every((part) => part.state === "same");
    status.textContent = pick(lang, same ? words.same : words.differs);
    shown.replaceChildren(drawn(found, lang));
    shown.hidden = false;
  } catch (e) {
    status.textContent = said(e, lang);
    status.classList.add("bad");
  } finally {
    button.disabled = false;
  }
}

/** A comparison; each line says in words, too, on which side it stands. */
function drawn(c: Comparison, lang: Lang): HTMLElement {
  if (c.kind === "lines") {
    const pre = document.createElement("pre");
    pre.tabIndex = 0;
    for (const l of c.lines)
      pre.append(side(l.state, `${{ same: "  ", gone: "- ", new: "+ " }[l.state]}${l.text}`), "\n");
    return pre;
  }
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const name of [pick(lang, words.side), ...c.columns])
    head.append(Object.assign(document.createElement("th"), { textContent: name }));
  const body = table.createTBody();
  for (const row of c.rows) {
    const line = body.insertRow();
    line.dataset.state = row.state;
    line.insertCell().textContent = pick(lang, states[row.state]);
    for (const cell of row.cells) {
      const at = line.insertCell();
      if (cell.old !== undefined && cell.old !== cell.now) at.append(side("gone", cell.old), " ");
      if (cell.now !== undefined) at.append(cell.old === cell.now ? cell.now : side("new", cell.now));
    }
  }
  return table;
}

function side(state: "same" | "gone" | "new", text: string): Node {
  if (state === "same") return document.createTextNode(text);
  return Object.assign(document.createElement(state === "gone" ? "del" : "ins"), { textContent: text });
}

/* What a note names, and the cluster may have */

export function mountFinds(note: HTMLElement, app: App): void {
  note.addEventListener("click", (e) => {
    const link = e.target instanceof Element ? e.target.closest<HTMLElement>("a[data-object], a[data-key]") : null;
    if (!link) return;
    e.preventDefault();
    const { object, key = "", prefix } = link.dataset;
    const named = (event: KubeEvent) => {
      if (object !== undefined) return event.object !== undefined && objectKey(event.object) === object;
      const at = event.kind === "etcd" ? String(event.detail?.key ?? "") : "";
      return prefix === undefined ? at === key : at.startsWith(key);
    };
    const found = app.log.range(app.log.first, app.signals.playhead.peek()).findLast((event) => named(event));
    if (found?.object) app.look(object === undefined ? "etcd" : "object", objectKey(found.object));
    link.nextElementSibling?.matches("[role=status]") && link.nextElementSibling.remove();
    if (found?.object) return;
    const none = document.createElement("span");
    none.setAttribute("role", "status");
    none.className = "contents-wave";
    none.textContent = pick(app.lang, object === undefined ? words.noKey : words.noObject);
    link.after(none);
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
