// The editor for manifests: CodeMirror, fetched when it is first opened. It
// lives in a shadow root, where its styles are adopted sheets, since the page
// allows no inline style.
import {
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import {
  bracketMatching,
  ensureSyntaxTree,
  HighlightStyle,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { type Diagnostic, linter, lintGutter, lintKeymap } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Lang } from "../app.ts";
import { Explain } from "./explain.ts";
import { lint } from "./yamllint.ts";
import { yamlPlace } from "./yamlplace.ts";

export interface YamlEditor {
  value: string;
  focus(): void;
}

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent)" },
  { tag: tags.string, color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--verb-decide)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
]);

const look = EditorView.theme({
  "&": { backgroundColor: "var(--card)", color: "var(--ink)", fontSize: "13px", maxHeight: "46vh" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-gutters": { backgroundColor: "var(--card-2)", color: "var(--muted)", border: "0" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft) !important" },
  ".cm-tooltip": { backgroundColor: "var(--card)", color: "var(--ink)", border: "1px solid var(--line)" },
  ".cm-tooltip.cm-completionInfo": { maxWidth: "26em", padding: "8px 10px", fontFamily: "var(--font)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent-soft)", color: "var(--ink)" },
  ".cm-panels": { backgroundColor: "var(--card-2)", color: "var(--ink)", fontFamily: "var(--font)" },
  ".cm-panels-bottom": { borderTop: "1px solid var(--line)" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-panel.cm-panel-lint ul [aria-selected]": { backgroundColor: "var(--bad-soft)" },
  ".cm-panel.cm-panel-lint button": { color: "var(--muted)" },
  ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal" },
});

/** Puts an editor into an element; changed is told of every change. */
export function mountEditor(
  root: HTMLElement,
  lang: Lang,
  label: string,
  text: string,
  changed: (text: string) => void,
): YamlEditor {
  const shadow = root.attachShadow({ mode: "open" });
  const explain = new Explain(lang);
  const view = new EditorView({
    parent: shadow,
    root: shadow,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        bracketMatching(),
        indentUnit.of("  "),
        yaml(),
        syntaxHighlighting(colours),
        look,
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", autocapitalize: "off" }),
        linter(({ state }) => check(state, explain, lang), { delay: 500, autoPanel: true }),
        lintGutter(),
        lang === "ko"
          ? EditorState.phrases.of({ Diagnostics: "문제", "No diagnostics": "문제 없음", close: "닫기" })
          : [],
        autocompletion({ override: [(context) => complete(context, explain)] }),
        // Tab moves on through the page, as keyboard users need; Ctrl-] and Ctrl-[ indent.
        keymap.of([
          { key: "Ctrl-]", run: indentMore },
          { key: "Ctrl-[", run: indentLess },
          ...completionKeymap,
          ...lintKeymap,
          ...historyKeymap,
          ...defaultKeymap,
        ]),
        EditorView.updateListener.of((u) => {
          if (u.docChanged) changed(u.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    get value() {
      return view.state.doc.toString();
    },
    set value(text: string) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    focus: () => view.focus(),
  };
}

async function check(state: EditorState, explain: Explain, lang: Lang): Promise<Diagnostic[]> {
  const tree = ensureSyntaxTree(state, state.doc.length, 200);
  if (!tree) return []; // so long a text is for the dry run
  const found = await lint(tree, state.doc.toString(), (v, kind) => explain.kind(v, kind), lang).catch(() => []);
  return found.map((p) => ({ ...p, to: Math.min(p.to, state.doc.length), severity: "error" }));
}

async function complete(context: CompletionContext, explain: Explain): Promise<CompletionResult | null> {
  const place = yamlPlace(context.state.doc.toString(), context.pos);
  if (!place?.kind || (!context.explicit && place.typed === "")) return null;
  const fields = await explain.fields(place.apiVersion, place.kind, place.path).catch(() => []);
  const options: Completion[] = place.valueOf
    ? (fields.find((f) => f.name === place.valueOf)?.values ?? []).map((v) => ({ label: v, type: "constant" }))
    : fields
        .filter((f) => !place.beside.includes(f.name))
        .map((f) => ({
          label: f.name,
          detail: `${f.type}${f.required ? " *" : ""}`,
          info: f.says,
          apply: `${f.name}:${/^(string|integer|boolean|number|Quantity|IntOrString|Time)/.test(f.type) ? " " : ""}`,
          boost: f.required ? 1 : 0,
          type: "property",
        }));
  return options.length ? { from: place.from, options, validFor: /^[\w.-]*$/ } : null;
}
