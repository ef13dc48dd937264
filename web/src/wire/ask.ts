// Asking the server: an answer, or a refusal with words for people.

export function parseLine(line: string): Record<string, unknown> | undefined {
  if (line.trim() === "") return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** What went wrong, in words for people. */
export class Refused extends Error {
  readonly hint: string;
  readonly status: number;
  constructor(message: string, hint: string, status: number) {
    super(message);
    this.hint = hint;
    this.status = status;
  }
}

/** Asks the server and gives its answer; a refusal is thrown as Refused. */
export async function ask(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const init: RequestInit = { method };
  if (signal) init.signal = signal;
  if (method !== "GET") {
    init.headers = { "Content-Type": "application/json" };
    init.body = body instanceof Blob ? body : JSON.stringify(body ?? {}); // a file is sent as it is
  }
  const answer = await fetch(path, init);
  if (answer.ok) return answer;
  const said = parseLine(await answer.text().catch(() => "")) ?? {};
  throw new Refused(
    typeof said.error === "string" ? said.error : `${answer.status} ${answer.statusText}`,
    typeof said.hint === "string" ? said.hint : "",
    answer.status,
  );
}
