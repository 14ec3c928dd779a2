/** What a page and the worker of one of its readers say to each other. */
export interface ReaderStart {
  readonly type: "start";
  /** The metadata server's address, as `Kafka` takes it. */
  readonly server: string;
  readonly clientId: string;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly protocol: ProtocolName;
  readonly sessionTimeoutMs: number;
  readonly recordsPerSecond: number;
}

export type ToReader =
  | ReaderStart
  | { readonly type: "pace"; readonly recordsPerSecond: number }
  /** Blocks the worker's thread, so that it does nothing and says nothing. */
  | { readonly type: "freeze"; readonly forMs: number }
  | { readonly type: "leave" }
  /** What a worker does not see for itself: its page goes away, or came back from the back/forward cache. */
  | { readonly type: "pagehide" }
  | { readonly type: "pageshow"; readonly persisted: boolean };

/** How a group divides its partitions: by an assignor of the classic protocol, or on the broker's side (KIP-848). */
export type ProtocolName = "cooperativeSticky" | "range" | "roundRobin" | "sticky" | "consumer";

export interface ReaderReport {
  /** Milliseconds since 1970, on the clock that page and workers share. */
  readonly atMs: number;
  readonly phase: "joining" | "reading" | "leaving" | "left" | "failed";
  /** Empty until the group has answered. */
  readonly memberId: string;
  /** -1 until known. */
  readonly generation: number;
  /** Whether it has heard that the group rebalances, and has not been given partitions since. */
  readonly rebalancing: boolean;
  /** As `partitionName` writes them. */
  readonly owned: readonly string[];
  /** Records since the start. */
  readonly processed: number;
  readonly reason: string | undefined;
}

/** Of page and workers alike, to a fraction of a millisecond. */
export function sharedNow(): number {
  return performance.timeOrigin + performance.now();
}
