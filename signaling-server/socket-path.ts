import { isClusterName, isUuid } from "./signaling-messages.ts";

export type SocketPath =
  | { readonly kind: "cluster"; readonly cluster: string; readonly peer: string; readonly key: string }
  | { readonly kind: "relay"; readonly relayId: string };

/** What a WebSocket is for, by its address; undefined for an address that src/runtime/signaling.ts does not name. */
export function parseSocketPath(url: string): SocketPath | undefined {
  const [path = "", query = ""] = url.split("?", 2);
  const [, folder, name = "", ...rest] = path.split("/");
  if (rest.length > 0) return undefined;
  if (folder === "relay") return isUuid(name) && query === "" ? { kind: "relay", relayId: name } : undefined;
  if (folder !== "clusters" || !isClusterName(name)) return undefined;
  const parameters = new URLSearchParams(query);
  const peer = parameters.get("peer");
  const key = parameters.get("key");
  if ([...parameters.keys()].length !== 2 || !isUuid(peer) || !isUuid(key)) return undefined;
  return { kind: "cluster", cluster: name, peer, key };
}
