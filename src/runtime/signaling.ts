/**
 * The text frames on the socket between a tab and the server: they introduce tabs to each other.
 * The binary frames on the same socket are Kafka's, for the controller.
 *
 * A tab opens `ws(s)://server/clusters/<cluster>?peer=<uuid>&key=<uuid>`. It picks both ids itself when its page loads:
 * `peer` is its address and stays the same over reconnects and server restarts; `key` is known to the server alone and
 * proves that a reconnecting socket is the same tab.
 */
export type ToServer =
  /** Hands simple-peer's signal data, or a `SessionSignal`, to another tab of the same cluster. */
  | { readonly type: "signal"; readonly to: string; readonly signal: unknown }
  /** Asks `to` to join `/relay/<relayId>` and to serve it as a connection of the named listener. */
  | { readonly type: "relay"; readonly to: string; readonly relayId: string; readonly listener: string }
  | { readonly type: "pong" };

export type FromServer =
  | { readonly type: "welcome"; readonly peer: string; readonly cluster: string }
  | { readonly type: "signal"; readonly from: string; readonly signal: unknown }
  | { readonly type: "relay"; readonly from: string; readonly relayId: string; readonly listener: string }
  /** No such tab is connected at present. */
  | { readonly type: "unreachable"; readonly to: string }
  /** To be answered with `pong`: protocol pings are answered by the browser even when the tab is frozen. */
  | { readonly type: "ping" };

/** Names of clusters (rooms) that a server accepts. */
export const CLUSTER_NAME = /^[A-Za-z0-9._-]{1,64}$/;

export function clusterPath(cluster: string): string {
  return `/clusters/${cluster}`;
}

/** Two sockets on the same relay path are spliced: every binary message of one is sent to the other. */
export function relayPath(relayId: string): string {
  return `/relay/${relayId}`;
}
