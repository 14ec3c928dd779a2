import { joinRoom } from "@trystero-p2p/nostr";
import type { JoinOptions, Shared } from "./peers.ts";

const WINDOW = 100;

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
      let next = 0;
      const sendInTurn = async () => {
        while (next < values.length) await record.send(values[next++]);
      };
      await Promise.all(Array.from({ length: WINDOW }, sendInTurn));
    },
    count: async () => received.length,
    values: async () => received,
  };
}
