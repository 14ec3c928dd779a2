import type { BrokerStatus } from "../../broker/broker-status.ts";
import type { Durability } from "../../broker/storage-identity.ts";
import type { BrokerOptions } from "../../runtime/run-broker.ts";
import type { LinkPath } from "./link-paths.ts";

/** What a page tells the worker that is to be its broker. Plain data, as all here: it crosses by structured clone. */
export interface BrokerWorkerOptions {
  readonly serverUrl: string;
  readonly cluster: string;
  readonly peer: string;
  readonly key: string;
  readonly durability: Durability;
  /** The storage directory this tab held before its reload, as far as it remembers. */
  readonly directoryHint: string | undefined;
  /** The storage directory that any tab of this profile was the last to use, as far as the profile remembers. */
  readonly latestDirectory: string | undefined;
  /** Directories that the cluster refused since the page was loaded. */
  readonly refusedDirectories: readonly string[];
  /** Whether the page makes direct links. */
  readonly direct: boolean;
  readonly broker: BrokerOptions;
}

export interface StartedBroker {
  readonly status: BrokerStatus;
  /** See `StorageDirectory`. */
  readonly isStandIn: boolean;
}

/** The worker's interface for its page, through comlink. The ports are for all that is too frequent for comlink. */
export interface BrokerControl {
  /** `links` speaks `ToWorker` and `ToPage`; `events` brings {@link BrokerWorkerEvent}s. Rejects without storage. */
  start(options: BrokerWorkerOptions, links: MessagePort, events: MessagePort): Promise<StartedBroker>;
  /** Hands leadership over, stops, and gives the storage directory back. */
  shutdown(): Promise<void>;
}

export type BrokerWorkerEvent =
  | { readonly type: "status"; readonly status: BrokerStatus }
  | { readonly type: "paths"; readonly paths: readonly LinkPath[] };

/** The first message to the worker. */
export interface BrokerWorkerGreeting {
  readonly control: MessagePort;
}
