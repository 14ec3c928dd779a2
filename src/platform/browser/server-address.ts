import { CLUSTER_NAME, clusterPath, relayPath } from "../../runtime/signaling.ts";

/** How a tab presents itself to the server; both are UUIDs it picks when its page loads. */
export interface TabKey {
  readonly peer: string;
  readonly key: string;
}

export interface ServerAddress {
  /** `http(s)` or `ws(s)`; a path before the server's own paths is kept. */
  readonly serverUrl: string;
  readonly cluster: string;
}

export function clusterUrl({ serverUrl, cluster }: ServerAddress, { peer, key }: TabKey): string {
  if (!CLUSTER_NAME.test(cluster)) {
    throw new Error(`"${cluster}" is no cluster name: 1 to 64 letters, digits, dots, underscores and hyphens`);
  }
  const url = socketUrl(serverUrl, clusterPath(cluster));
  url.searchParams.set("peer", peer);
  url.searchParams.set("key", key);
  return url.href;
}

export function relayUrl({ serverUrl }: ServerAddress, relayId: string): string {
  return socketUrl(serverUrl, relayPath(relayId)).href;
}

function socketUrl(serverUrl: string, path: string): URL {
  const url = new URL(serverUrl);
  url.protocol = url.protocol.replace(/^http/, "ws");
  url.pathname = url.pathname.replace(/\/$/, "") + path;
  url.search = "";
  url.hash = "";
  return url;
}
