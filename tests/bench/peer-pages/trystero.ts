import { joinRoom } from "@trystero-p2p/nostr";
import type { JoinOptions, Shared } from "./peers.ts";

/** Messages from page to page; nothing is stored, and a send resolves when the message has been handed on. */
export async function joinMessages({ name, signalingUrl }: JoinOptions): Promise<Shared> {
  const room = joinRoom({ appId: "tabstream-bench", relayConfig: { urls: [signalingUrl] } }, name);
  const received: string[] = [];
  const joined = new Promise((resolve) => (room.onPeerJoin = resolve));
  const record = room.makeAction("record");
  record.onMessage = (value: string) => void received.push(value);
  return {
    async write(values) {
      await joined;
      // One after the other, for sends side by side overtake each other.
      for (const value of values) await record.send(value);
    },
    count: async () => received.length,
    values: async () => received,
  };
}
