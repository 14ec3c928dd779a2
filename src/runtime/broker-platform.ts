import type { StorageVolume } from "../broker/events.ts";
import type { Clock } from "./clock.ts";
import type { Connection, Endpoint } from "./connection.ts";
import type { ControllerLink } from "./controller-link.ts";
import type { LogStore } from "./log-store.ts";
import type { StorageIdentity } from "../broker/storage-identity.ts";

/** Everything a broker needs from the place it runs in. Worker and simulator differ only in this object. */
export interface BrokerPlatform {
  readonly clock: Clock;
  readonly store: LogStore;
  readonly identity: StorageIdentity;
  /** Resolves once the identity is durable, whatever the durability class of the logs. */
  saveIdentity(identity: StorageIdentity): Promise<void>;
  readonly controller: ControllerLink;
  /** Opens a connection to another broker's tab. Rejects when neither a direct link nor the relay opens. */
  dial(endpoint: Endpoint): Promise<Connection>;
  /** Calls `accept` for every connection that another tab or the server opens to this one. */
  listen(accept: (connection: Connection, listener: string) => void): void;
  /** Registered with the controller: under which endpoint each listener is dialled. */
  readonly listeners: readonly { readonly name: string; readonly endpoint: Endpoint }[];
  /** Tabs of one browser profile share a disk, so the profile is the rack. */
  readonly rack: string;
  onLifecycle(handler: (event: LifecycleEvent) => void): void;
  /** How much room there is for logs; left out where nobody can tell. */
  measureStorage?(): Promise<StorageVolume>;
  /** A fresh v4 UUID. */
  randomUuid(): string;
  log(level: LogLevel, message: string): void;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

export type LifecycleEvent =
  /** The broker's own time jumped: it slept, was frozen or was starved (B6). */
  | { readonly type: "time-gap"; readonly gapMs: number }
  /** The database was closed or cleared under the broker, or its lock was lost (R20). */
  | { readonly type: "storage-lost"; readonly reason: string }
  /** The page is going away, or asked the broker to stop: leave as gracefully as time allows. */
  | { readonly type: "closing" };
