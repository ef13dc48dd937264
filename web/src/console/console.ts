// The console: one command line, the real kubectl behind it, its answer as it
// comes. The text area is what `-f -` reads.
import type { Mount } from "../app.ts";
import { Refused } from "../wire/ask.ts";
import { CommandHistory } from "./history.ts";
import { lineCount, readsStdin, Screen } from "./screen.ts";
import { isAbort, postLines } from "./stream.ts";
import { consoleText, examples, sampleManifest } from "./text.ts";
import type { YamlEditor } from "./yamleditor.ts";

/**
 * An event on the document with a command line as its detail, or {command, manifest}:
 * it is put into the console, not run. With {command, run: true} somebody has been asked.
 */
export const OFFER = "kubestage-command";

export const mount: Mount = (root, app) => {
  const t = consoleText[app.lang];
  const make = <K extends keyof HTMLElementTagNameMap>(tag: K, className: string, text = "") => {
    const el = document.createElement(tag);
    el.className = className;
    if (text) el.textContent = text;
    return el;
  };
  const button = (className: string, text: string) => {
    const el = make("button", className, text);
    el.type = "button";
    return el;
  };

  const head = make("div", "console-head");
  const title = make("h2", "console-title", t.title);
  const editorToggle = button("console-tool", t.editor);
  const clear = button("console-tool", t.clear);
  head.append(title, editorToggle, clear);

  const output = make("pre", "console-output");
  output.tabIndex = 0;
  output.setAttribute("role", "region");
  output.setAttribute("aria-label", t.output);
  output.append(make("span", "console-note", `${t.welcome}\n`));

  const chips = make("div", "console-chips");
  chips.setAttribute("role", "group");
  chips.setAttribute("aria-label", t.examples);

  const editor = make("div", "console-editor");
  editor.id = "console-editor";
  editor.hidden = true;
  const editorLabel = make("label", "console-editor-label", t.editorLabel);
  editorLabel.htmlFor = "console-yaml";
  const yaml = make("textarea", "console-yaml");
  yaml.id = "console-yaml";
  yaml.spellcheck = false;
  yaml.autocapitalize = "off";
  yaml.rows = 9;
  yaml.value = sampleManifest;
  yaml.setAttribute("aria-describedby", "console-yaml-hint");
  const editorHint = make("p", "console-editor-hint", t.editorHint);
  editorHint.id = "console-yaml-hint";
  const code = make("div", "console-code");
  const check = button("small-button", t.check);
  const apply = button("small-button", t.apply);
  const editorButtons = make("div", "console-editor-buttons");
  editorButtons.append(check, apply);
  editor.append(editorLabel, yaml, code, editorButtons, editorHint);
  editorToggle.setAttribute("aria-expanded", "false");
  editorToggle.setAttribute("aria-controls", editor.id);

  const form = make("form", "console-form");
  const scene = document.querySelector<HTMLElement>("[data-chapter]")?.dataset;
  const sign = make("span", "console-sign", scene?.namespace ? `${scene.namespace} $` : "$");
  sign.setAttribute("aria-hidden", "true");
  const input = make("input", "console-input");
  input.type = "text";
  input.spellcheck = false;
  input.autocomplete = "off";
  input.autocapitalize = "off";
  input.placeholder = "kubectl get pods";
  input.setAttribute("aria-label", t.prompt);
  input.setAttribute("enterkeyhint", "go");
  const run = make("button", "primary", t.run);
  run.type = "submit";
  const cancel = button("secondary", t.cancel);
  cancel.hidden = true;
  form.append(sign, input, run, cancel);

  const status = make("p", "console-status sr-only");
  status.setAttribute("role", "status");

  root.replaceChildren(head, output, chips, editor, form, status);

  if (document.body.dataset.source && document.body.dataset.source !== "sandbox") {
    output.replaceChildren(make("span", "console-note", t.readOnly));
    for (const part of [chips, form, editorToggle, clear]) part.hidden = true;
    return;
  }

  const history = CommandHistory.kept();
  const screen = new Screen();
  let running: AbortController | undefined;

  const show = (kind: "command" | "stdout" | "stderr" | "note", text: string) => {
    const atEnd = output.scrollHeight - output.scrollTop - output.clientHeight < 24;
    const before = screen.pieces.length;
    const gone = screen.add(kind, text);
    for (let i = 0; i < gone; i++) output.firstChild?.remove();
    if (screen.pieces.length + gone > before) output.append(make("span", `console-${kind}`, text));
    else output.lastChild?.appendChild(document.createTextNode(text));
    if (atEnd) output.scrollTop = output.scrollHeight;
  };

  // The plain text area is there at once, and stays what commands read; the editor takes its place when it has come.
  let manifest: YamlEditor | undefined;
  let fetched = false;
  const write = (text: string) => {
    yaml.value = text;
    if (manifest) manifest.value = text;
  };
  const fetchEditor = async () => {
    fetched = true;
    try {
      const { mountEditor } = await import("./yamleditor.ts");
      const had = document.activeElement === yaml;
      manifest = mountEditor(code, app.lang, t.editorLabel, yaml.value, (text) => {
        yaml.value = text;
      });
      yaml.hidden = true;
      code.dataset.ready = "";
      if (had) manifest.focus();
    } catch {
      fetched = false; // the server has gone; the text area does, and the next opening tries again
    }
  };
  const openEditor = (open: boolean) => {
    editor.hidden = !open;
    editorToggle.setAttribute("aria-expanded", String(open));
    if (open && !fetched) void fetchEditor();
  };

  const start = async (line: string) => {
    const command = line.trim();
    if (command === "" || running) return;
    history.remember(command);
    const stdin = readsStdin(command);
    if (stdin) openEditor(true);
    output.scrollTop = output.scrollHeight;
    if (screen.pieces.length === 0) output.replaceChildren();
    show("command", `$ ${command}\n`);
    status.textContent = t.running(command);
    running = new AbortController();
    run.hidden = true;
    cancel.hidden = false;
    let exit: number | undefined;
    let lines = 0;
    let cleanEnd = true;
    try {
      const body: Record<string, unknown> = { command, lang: app.lang };
      if (scene?.chapter) body.chapter = scene.chapter; // it runs in the learner's namespace there
      if (stdin) body.stdin = yaml.value;
      await postLines(
        "/api/kubectl",
        body,
        (m) => {
          if (typeof m.data === "string") {
            lines += lineCount(m.data);
            cleanEnd = m.data.endsWith("\n");
            show(m.stream === "stderr" ? "stderr" : "stdout", m.data);
          } else if (typeof m.exit === "number") exit = m.exit;
          if (typeof m.error === "string") show("note", `${cleanEnd ? "" : "\n"}${m.error}\n`);
        },
        running.signal,
      );
      if (exit === undefined) {
        show("note", `${t.broken}\n`);
        status.textContent = t.broken;
      } else status.textContent = exit === 0 ? t.finished(lines) : t.failed(exit, lines);
    } catch (e) {
      if (isAbort(e)) {
        show("note", `${cleanEnd ? "" : "\n"}${t.cancelled}\n`);
        status.textContent = t.cancelled;
      } else {
        const message = e instanceof Refused ? [e.message, e.hint].filter(Boolean).join("\n") : t.stopped;
        show("stderr", `${message}\n`);
        status.textContent = message;
      }
    } finally {
      running = undefined;
      run.hidden = false;
      cancel.hidden = true;
      // Whoever pressed a button that is now gone goes on typing.
      if (document.activeElement === document.body || document.activeElement === cancel) input.focus();
    }
  };

  form.addEventListener("submit", (e) => {
    e.preventDefault();
    if (running) return;
    const line = input.value;
    input.value = "";
    void start(line);
  });
  cancel.addEventListener("click", () => running?.abort());
  clear.addEventListener("click", () => {
    screen.clear();
    output.replaceChildren();
    input.focus();
  });
  editorToggle.addEventListener("click", () => {
    openEditor(editor.hidden !== false);
    if (editor.hidden) return;
    if (manifest) manifest.focus();
    else yaml.focus();
  });
  check.addEventListener("click", () => void start("kubectl apply -f - --dry-run=server"));
  apply.addEventListener("click", () => void start("kubectl apply -f -"));
  input.addEventListener("keydown", (e) => {
    // Enter ends a Korean syllable that is still being composed; it must not run half a word.
    if (e.isComposing) return;
    if (e.key === "ArrowUp" || e.key === "ArrowDown") {
      const line = e.key === "ArrowUp" ? history.up(input.value) : history.down();
      if (line !== undefined) {
        input.value = line;
        input.setSelectionRange(line.length, line.length);
      }
      e.preventDefault();
    } else if (e.key === "c" && e.ctrlKey && input.selectionStart === input.selectionEnd && running) {
      running.abort();
      e.preventDefault();
    }
  });
  // The stage listens for space, dots and arrows; here they are just typed.
  root.addEventListener("keydown", (e) => e.stopPropagation());

  const offer = (command: string) => {
    input.value = command;
    if (readsStdin(command)) openEditor(true);
    input.focus();
  };
  for (const command of examples) {
    const chip = button("chip", command.replace(/^kubectl /, ""));
    chip.title = command;
    chip.addEventListener("click", () => offer(command));
    chips.append(chip);
  }
  document.addEventListener(OFFER, (e) => {
    if (!(e instanceof CustomEvent)) return;
    const offered: { command: string; manifest?: string; run?: boolean } =
      typeof e.detail === "string" ? { command: e.detail } : e.detail;
    const { command } = offered;
    if (offered.manifest !== undefined) write(offered.manifest);
    if (offered.run) void start(command);
    else offer(command);
  });
};
