// The program under test: the built binary, started as people start it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { KubeEvent } from "../web/src/wire/event.ts";

export const binary = process.env.KUBESTAGE_BINARY ?? fileURLToPath(new URL("../bin/dashboard", import.meta.url));

export class Dashboard {
  /** What it wrote to stderr so far: boot progress, a line a component. */
  stderr = "";

  private constructor(
    /** As its first line says, without a slash at the end. */
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  /** Starts one with a cluster of its own and returns when it listens; the cluster is still booting then. */
  static start(...args: string[]): Promise<Dashboard> {
    return Dashboard.launch("--ephemeral", ...args);
  }

  /** Plays a recording; there is no cluster. */
  static replay(file: string, ...args: string[]): Promise<Dashboard> {
    return Dashboard.launch("replay", file, ...args);
  }

  private static async launch(...args: string[]): Promise<Dashboard> {
    const child = spawn(binary, [...args, "--addr", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "pipe"] });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      if (started) started.stderr = stderr;
    });
    let started: Dashboard | undefined;
    for await (const line of createInterface(child.stdout)) {
      const url = /^Kubestage is at (http:\/\/127\.0\.0\.1:\d+)$/.exec(line)?.[1];
      if (!url) throw new Error(`the first line on stdout is ${JSON.stringify(line)}`);
      started = new Dashboard(url, child);
      started.stderr = stderr;
      return started;
    }
    await once(child, "close");
    throw new Error(`the dashboard ended before it listened: ${stderr}`);
  }

  /** Stops it as Ctrl-C does and fails when that takes too long. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null) throw new Error(`the dashboard had ended by itself:\n${this.stderr}`);
    const ended = once(this.child, "exit");
    const began = Date.now();
    this.child.kill("SIGINT");
    const force = setTimeout(() => this.child.kill("SIGKILL"), 15_000);
    await ended;
    clearTimeout(force);
    if (Date.now() - began > 5_000) throw new Error(`the dashboard took ${Date.now() - began} ms to stop`);
  }

  async ready(): Promise<void> {
    const last = await until(async () => {
      const response = await fetch(`${this.url}/readyz`);
      return { ok: response.ok, last: await response.text() };
    }, 60_000);
    if (!last.ok) throw new Error(`not ready after a minute: ${last.last}\n${this.stderr}`);
    // A kubelet is Ready a moment before it watches for pods.
    await this.eventsWhen("each kubelet watches pods", 0, (all) => {
      const watching = all.filter(
        (e) =>
          e.kind === "request" &&
          e.verb === "watch" &&
          e.object?.resource === "pods" &&
          e.from.startsWith("system:node:"),
      );
      return new Set(watching.map((e) => e.from)).size === 3;
    });
  }

  /** The log's events after a sequence number. */
  async events(after = 0): Promise<KubeEvent[]> {
    const all: KubeEvent[] = [];
    for (;;) {
      const response = await fetch(`${this.url}/api/events?after=${all.at(-1)?.seq ?? after}&limit=10000`);
      const text = await response.text();
      if (!response.ok) throw new Error(`/api/events: ${response.status} ${text}`);
      const lines = text.split("\n").filter(Boolean);
      if (lines.length === 0) return all;
      for (const line of lines) all.push(JSON.parse(line) as KubeEvent);
    }
  }

  /** Waits until the log after a sequence number fulfils a condition, and returns it. */
  async eventsWhen(what: string, after: number, fulfilled: (events: KubeEvent[]) => boolean): Promise<KubeEvent[]> {
    const { ok, last } = await until(async () => {
      const events = await this.events(after);
      return { ok: fulfilled(events), last: events };
    }, 60_000);
    if (!ok)
      throw new Error(`waited a minute for: ${what}. The last events were:\n${last.slice(-15).map(short).join("\n")}`);
    return last;
  }

  async lastSeq(): Promise<number> {
    return (await this.events()).at(-1)?.seq ?? 0;
  }

  /** Runs kubectl through the door the page's console uses. */
  async kubectl(command: string, stdin = ""): Promise<string> {
    const response = await fetch(`${this.url}/api/kubectl`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Origin: this.url },
      body: JSON.stringify({ command, stdin, lang: "en" }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${command}: ${response.status} ${text}`);
    let output = "";
    for (const line of text.split("\n").filter(Boolean)) {
      const message = JSON.parse(line) as { data?: string; exit?: number };
      output += message.data ?? "";
      if (message.exit) throw new Error(`${command}: exit ${message.exit}\n${output}`);
    }
    return output;
  }
}

/** Asks every 100 ms until the answer is ok or time is up, and returns the last answer. */
async function until<T extends { ok: boolean }>(ask: () => Promise<T>, patience: number): Promise<T> {
  const deadline = Date.now() + patience;
  for (;;) {
    const answer = await ask();
    if (answer.ok || Date.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** An event in one line, for messages of failing tests. */
export function short(e: KubeEvent): string {
  const object = e.object
    ? [e.object.group, e.object.resource, e.object.subresource, e.object.namespace, e.object.name]
        .filter(Boolean)
        .join("/")
    : "";
  const causes = (e.causes ?? []).map((c) => `${c.how}:${c.seq}`).join(" ");
  return `${e.seq} ${e.kind} ${e.verb} ${object} ${e.from} → ${e.to ?? ""} ${e.code ?? ""} @${e.revision ?? ""} [${causes}]`;
}
