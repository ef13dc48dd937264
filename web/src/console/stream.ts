import { ask, parseLine } from "../wire/ask.ts";

// Reads an answer that is one JSON object a line, each as soon as it is
// there. Lines that are not JSON are left out: the server's last word may be cut
// off when it is stopped.

/** What a console or a scene sends while a command runs. */
export interface OutputMessage {
  stream: "stdout" | "stderr";
  data: string;
}

/** Cuts text that arrives in pieces into lines. */
export function lineCutter(): (piece: string) => string[] {
  let rest = "";
  return (piece) => {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    return lines;
  };
}

/** Posts and calls each for every line of the answer. Rejects when refused, broken off or aborted. */
export async function postLines(
  path: string,
  body: unknown,
  each: (message: Record<string, unknown>) => void,
  signal?: AbortSignal,
): Promise<void> {
  const answer = await ask("POST", path, body, signal);
  if (!answer.body) return;
  const cut = lineCutter();
  const take = (text: string) => {
    for (const line of cut(text)) {
      const message = parseLine(line);
      if (message) each(message);
    }
  };
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    take(decoder.decode(value, { stream: true }));
  }
  take(`${decoder.decode()}\n`);
}

export function isAbort(e: unknown): boolean {
  return e instanceof DOMException && e.name === "AbortError";
}
