// The websocket between the pages of a class. It comes back by itself.
import type { Place } from "./place.ts";

export interface Presence {
  type: "presence";
  leading: boolean;
  followers: number;
}

/** What whoever speaks sees of the page that leads, in that page's language. */
export interface Notes {
  type: "notes";
  title: string;
  now: string;
  evidence: string;
  next: string;
  notes: string;
}

export type Message = Place | Presence | Notes | { type: "do"; action: string };

export interface Line {
  send(text: string): void;
  close(): void;
}

interface Ends {
  open?(): void;
  message(m: Message): void;
  /** The server will not have us in this role. */
  refused?(): void;
}

const POLICY = 1008; // RFC 6455, 7.4.1

export function openLine(role: "leader" | "follower" | "remote", ends: Ends): Line {
  let socket: WebSocket | undefined;
  let closed = false;
  let retry = 0;
  let delay = 250;
  const url = new URL(`/api/follow?as=${role}`, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const open = () => {
    const s = new WebSocket(url);
    socket = s;
    s.onopen = () => {
      delay = 250;
      ends.open?.();
    };
    s.onmessage = (ev) => {
      try {
        ends.message(JSON.parse(String(ev.data)) as Message);
      } catch {
        // A newer server may say what we do not know.
      }
    };
    s.onclose = (ev) => {
      if (closed) return;
      if (ev.code === POLICY) {
        closed = true;
        ends.refused?.();
        return;
      }
      retry = window.setTimeout(open, delay);
      delay = Math.min(5000, delay * 2);
    };
  };
  open();
  return {
    send(text) {
      if (socket?.readyState === WebSocket.OPEN) socket.send(text);
    },
    close() {
      closed = true;
      window.clearTimeout(retry);
      socket?.close();
    },
  };
}
