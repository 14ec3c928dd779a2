import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import type { LocalServer } from "./local-servers.ts";

interface NostrEvent {
  readonly id: string;
  readonly kind: number;
  readonly tags: readonly (readonly string[])[];
}

interface NostrFilter {
  readonly kinds?: readonly number[];
  readonly "#x"?: readonly string[];
}

interface Subscription {
  readonly socket: WebSocket;
  readonly id: string;
  readonly filter: NostrFilter;
}

/** As much of a Nostr relay (NIP-01) as Trystero needs: events go to those who asked for their kind. */
export async function startNostrRelay(): Promise<LocalServer> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const subscriptions = new Map<string, Subscription>();
  let sockets = 0;
  server.on("connection", (socket) => {
    const name = sockets++;
    socket.on("message", (data: Buffer) => {
      const [type, ...rest] = JSON.parse(data.toString()) as [string, ...unknown[]];
      if (type === "REQ") {
        const [id, filter] = rest as [string, NostrFilter];
        subscriptions.set(`${name}/${id}`, { socket, id, filter });
        socket.send(JSON.stringify(["EOSE", id]));
      } else if (type === "CLOSE") {
        subscriptions.delete(`${name}/${String(rest[0])}`);
      } else if (type === "EVENT") {
        const event = rest[0] as NostrEvent;
        socket.send(JSON.stringify(["OK", event.id, true, ""]));
        for (const subscription of subscriptions.values()) {
          if (isWanted(event, subscription.filter)) {
            subscription.socket.send(JSON.stringify(["EVENT", subscription.id, event]));
          }
        }
      }
    });
  });
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    for (const client of server.clients) client.terminate();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `ws://127.0.0.1:${port}`, close };
}

function isWanted({ kind, tags }: NostrEvent, filter: NostrFilter): boolean {
  if (filter.kinds !== undefined && !filter.kinds.includes(kind)) return false;
  const rooms = filter["#x"];
  return rooms === undefined || tags.some(([name, value = ""]) => name === "x" && rooms.includes(value));
}
