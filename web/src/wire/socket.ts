// The websocket that brings events. It reconnects by sequence number, with a
// back-off, and never gives up; it tells how things stand in one word.
import type { KubeEvent } from "./event.ts";

export type Message =
  | { type: "hello"; protocol: number; log: string; first: number; last: number; source: string; now: string }
  | { type: "events"; events: KubeEvent[] }
  | { type: "gap"; first: number; last: number }
  | { type: "ping"; now: string; last: number };

export type Link = "connecting" | "open" | "lost";

export interface Receiver {
  /** The sequence number after which events are wanted. */
  after(): number;
  message(m: Message): void;
  link(state: Link): void;
}

/** Reads one text frame. Frames we cannot read are an error of the server, and said so. */
export function parseMessage(text: string): Message | null {
  try {
    const m = JSON.parse(text) as Message;
    if (m.type === "events" && !Array.isArray(m.events)) throw new Error("events without a list");
    return m;
  } catch (err) {
    console.error("kubestage: a frame of the stream cannot be read:", err);
    return null;
  }
}

export function backoff(attempt: number): number {
  return Math.min(5000, 250 * 2 ** attempt);
}

/** Opens the stream and keeps it open; returns what ends it. */
export function openStream(url: (after: number) => string, receiver: Receiver): () => void {
  let socket: WebSocket | null = null;
  let attempt = 0;
  let ended = false;
  let timer = 0;
  const open = () => {
    receiver.link("connecting");
    const s = new WebSocket(url(receiver.after()));
    socket = s;
    s.onmessage = (frame) => {
      if (typeof frame.data !== "string") return;
      const m = parseMessage(frame.data);
      if (!m) return;
      if (m.type === "hello") {
        attempt = 0;
        receiver.link("open");
      }
      receiver.message(m);
    };
    s.onclose = () => {
      if (ended) return;
      receiver.link("lost");
      timer = window.setTimeout(open, backoff(attempt++));
    };
  };
  open();
  return () => {
    ended = true;
    window.clearTimeout(timer);
    socket?.close();
  };
}
