// The terminal below the stage: xterm.js, a prompt, and for each command a
// terminal on the server that the real kubectl runs in. It is fetched when it is
// first opened.
import { FitAddon } from "@xterm/addon-fit";
import { type ITheme, Terminal } from "@xterm/xterm";
import type { Lang } from "../app.ts";
import { ask, parseLine, Refused } from "../wire/ask.ts";
import { CommandHistory } from "./history.ts";
import { common, inColumns, Line } from "./line.ts";
import { readsStdin } from "./screen.ts";
import { consoleText } from "./text.ts";

interface Choice {
  text: string;
  says?: string;
}

const dim = (text: string) => `\x1b[2m${text}\x1b[22m`;
const red = (text: string) => `\x1b[31m${text}\x1b[39m`;

/** Puts a terminal into an element; leave is called when somebody wants out of it by keyboard. */
export async function mountTerminal(root: HTMLElement, lang: Lang, leave: (close: boolean) => void): Promise<Terminal> {
  const t = consoleText[lang];
  Terminal.strings.promptLabel = t.terminalInput;
  Terminal.strings.tooMuchOutput = t.tooMuch;
  const style = getComputedStyle(document.documentElement);
  const font = style.getPropertyValue("--mono");
  await document.fonts.load(`13px ${font}`);
  const term = new Terminal({
    fontFamily: font,
    fontSize: fontSize(),
    lineHeight: 1.3,
    cursorBlink: false, // what blinks draws the eye from the stage
    scrollback: 5000,
    screenReaderMode: true,
    minimumContrastRatio: 4.5,
    theme: colours(),
  });
  const fit = new FitAddon();
  term.loadAddon(fit);
  withAdoptedStyles(() => term.open(root));
  fit.fit();
  new ResizeObserver(() => root.clientHeight > 0 && fit.fit()).observe(root);
  new MutationObserver(() => {
    term.options.theme = colours();
    term.options.fontSize = fontSize();
    fit.fit();
  }).observe(document.documentElement, { attributeFilter: ["data-theme"] });

  const scene = document.querySelector<HTMLElement>("[data-chapter]")?.dataset;
  const history = CommandHistory.kept();
  const line = new Line();
  let failed = false;
  /** While a command runs, keys are its own. */
  let running: WebSocket | undefined;

  const plainPrompt = `${scene?.namespace ? `${scene.namespace} ` : ""}$ `;
  const draw = (how: "draw" | "leave" = "draw") => {
    const prompt = failed ? red(plainPrompt) : `\x1b[34m${plainPrompt}\x1b[39m`;
    term.write(line[how](plainPrompt, prompt, term.cols));
  };
  /** A prompt on a row of its own, wherever the output has left the cursor. */
  const ready = () =>
    term.write("", () => {
      if (term.buffer.active.cursorX > 0) term.write("\r\n");
      line.begin();
      draw();
    });

  const run = async (command: string) => {
    history.remember(command);
    let exit: number | undefined;
    let refused: string | undefined;
    await new Promise<void>((ended) => {
      const socket = new WebSocket(address(lang, scene?.chapter));
      socket.binaryType = "arraybuffer";
      running = socket;
      socket.onopen = () => {
        const yaml = document.querySelector<HTMLTextAreaElement>("#console-yaml")?.value;
        const stdin = readsStdin(command) ? yaml : undefined;
        socket.send(JSON.stringify({ command, stdin, cols: term.cols, rows: term.rows }));
      };
      socket.onmessage = ({ data }: MessageEvent<ArrayBuffer | string>) => {
        if (typeof data !== "string") {
          term.write(new Uint8Array(data));
          return;
        }
        const said = parseLine(data) ?? {};
        if (typeof said.exit === "number") exit = said.exit;
        if (typeof said.error === "string") refused = [said.error, said.hint].filter(Boolean).join("\r\n");
      };
      socket.onclose = () => ended();
    });
    running = undefined;
    failed = exit !== 0;
    if (refused !== undefined) term.write(red(refused));
    else if (exit === undefined) term.write(`\r\n${red(t.stopped)}`);
    ready();
  };

  const complete = async () => {
    const typed = line.text.slice(0, line.at);
    let answer: { typed: string; choices: Choice[] };
    try {
      const body: Record<string, unknown> = { command: typed, lang };
      if (scene?.chapter) body.chapter = scene.chapter;
      answer = await (await ask("POST", "/api/complete", body)).json();
    } catch (e) {
      const why = e instanceof Refused ? e.message : t.stopped;
      term.write(`\r\n${red(why)}`);
      ready();
      return;
    }
    if (running || line.text.slice(0, line.at) !== typed) return; // somebody typed on
    const words = answer.choices.map((c) => c.text);
    const more = common(words).slice(answer.typed.length);
    if (words.length === 1) line.insert(more + (/[/=]$/.test(words[0]!) ? "" : " "));
    else if (more) line.insert(more);
    else {
      draw("leave");
      term.write(list(answer.choices, t.nothing));
      line.move(typed.length);
      ready();
      return;
    }
    draw();
  };
  const list = (choices: Choice[], nothing: string): string => {
    if (choices.length === 0) return dim(nothing);
    const width = Math.max(...choices.map((c) => c.text.length)) + 2;
    if (choices.length > 12 || choices.every((c) => !c.says))
      return inColumns(
        choices.map((c) => c.text),
        term.cols,
      );
    return choices
      .map((c) => c.text.padEnd(width) + dim((c.says ?? "").slice(0, Math.max(0, term.cols - width - 1))))
      .join("\r\n");
  };

  term.onData((sent) => {
    if (running) {
      if (running.readyState === WebSocket.OPEN) running.send(new TextEncoder().encode(sent));
      return;
    }
    switch (line.take(sent)) {
      case "run": {
        draw("leave");
        const command = line.text.trim();
        line.set("");
        if (command) void run(command);
        else draw();
        return;
      }
      case "cancel":
        draw("leave");
        line.set("");
        break;
      case "complete":
        void complete();
        return;
      case "earlier":
        line.set(history.up(line.text) ?? line.text);
        break;
      case "later":
        line.set(history.down() ?? line.text);
        break;
      case "clear":
        term.clear();
        return;
    }
    draw();
  });
  term.onResize(({ cols, rows }) => {
    if (running?.readyState === WebSocket.OPEN) running.send(JSON.stringify({ cols, rows }));
  });
  // Nobody is caught here: with an empty line Tab moves on through the page, Esc goes back to the
  // stage, and Ctrl-` closes the terminal even while a program has all other keys.
  term.attachCustomKeyEventHandler((key) => {
    if (key.ctrlKey && key.code === "Backquote") {
      if (key.type === "keydown") leave(true);
      return false;
    }
    if (running) return true;
    if (key.key === "Escape") {
      if (key.type === "keydown") leave(false);
      return false;
    }
    return key.key !== "Tab" || (!key.shiftKey && line.text.trim() !== "");
  });

  term.textarea?.setAttribute("aria-describedby", "terminal-hint");
  ready();
  return term;
}

function address(lang: Lang, chapter?: string): string {
  const u = new URL("/api/terminal", location.href);
  u.protocol = u.protocol === "https:" ? "wss:" : "ws:";
  u.searchParams.set("lang", lang);
  if (chapter) u.searchParams.set("chapter", chapter);
  return u.href;
}

const fontSize = () => (document.documentElement.dataset.theme === "projector" ? 18 : 13);

/** The theme's own colours, for the sixteen of a terminal. */
function colours(): ITheme {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    background: of("card"),
    foreground: of("ink"),
    cursor: of("ink"),
    cursorAccent: of("card"),
    selectionBackground: of("accent-soft"),
    black: of("ink"),
    red: of("bad"),
    green: of("good"),
    yellow: of("warn"),
    blue: of("accent"),
    magenta: of("verb-decide"),
    cyan: of("good"),
    white: of("muted"),
  };
}

/**
 * Lets xterm.js have its style elements: they are of another kind, and their text goes into adopted
 * sheets, since the page allows no inline style. They are made while the terminal is opened
 * (@xterm/xterm 6.0.0: DomRenderer.ts:138, Viewport.ts:79, vs/base/browser/dom.ts:971).
 */
function withAdoptedStyles(open: () => void): void {
  const create = document.createElement.bind(document);
  document.createElement = ((tag: string, options?: ElementCreationOptions) => {
    if (tag !== "style") return create(tag, options);
    const stand = create("span");
    stand.hidden = true;
    const sheet = new CSSStyleSheet();
    document.adoptedStyleSheets.push(sheet);
    Object.defineProperty(stand, "textContent", { set: (text: string) => sheet.replaceSync(text) });
    return stand;
  }) as typeof document.createElement;
  try {
    open();
  } finally {
    Reflect.deleteProperty(document, "createElement"); // and the prototype's is there again
  }
}
