import type { OpenedSections } from "../log/compaction-pass.ts";
import type { Chunk, StoreOperation } from "../log/stored-log.ts";
import type { RecompressedBatches } from "./recompression.ts";

/**
 * Everything that can happen to a broker. Ids of connections, links, writes and reads pair events with effects:
 * the runtime numbers the connections that others open, the broker numbers all else.
 */
export type BrokerEvent =
  | {
      readonly type: "connection-opened";
      readonly connectionId: number;
      readonly listener: string;
      /** Of the other end, where that has one. */
      readonly remoteAddress?: string | undefined;
    }
  | { readonly type: "connection-frame"; readonly connectionId: number; readonly frame: Uint8Array }
  | { readonly type: "connection-closed"; readonly connectionId: number }
  /** A connection that this broker dialled to another one. */
  | { readonly type: "link-opened"; readonly linkId: number }
  | { readonly type: "link-frame"; readonly linkId: number; readonly frame: Uint8Array }
  /** Also when dialling failed. */
  | { readonly type: "link-closed"; readonly linkId: number; readonly reason: string }
  | { readonly type: "controller-opened" }
  | { readonly type: "controller-frame"; readonly frame: Uint8Array }
  | { readonly type: "controller-closed" }
  /**
   * One transaction is durable. Writes become durable in the order in which they were asked for; the operations are those of
   * all of them, as they were stored.
   */
  | { readonly type: "written"; readonly writeIds: readonly number[]; readonly operations: readonly StoreOperation[] }
  | { readonly type: "identity-saved" }
  | {
      readonly type: "read";
      readonly readId: number;
      readonly chunks: readonly Chunk[];
      /** If the effect asked for it. */
      readonly opened?: OpenedSections;
    }
  /** Comes once for every effect of that kind, in their order. */
  | { readonly type: "recompressed"; readonly batches: RecompressedBatches }
  /** A write, a read or an identity could not be stored or read, or the storage went away under the broker. */
  | { readonly type: "storage-failed"; readonly reason: string }
  | ({ readonly type: "storage-measured" } & StorageVolume)
  | { readonly type: "time-gap"; readonly gapMs: number }
  | { readonly type: "closing" }
  /** It is `wakeAtMs` or later. */
  | { readonly type: "woken" };

/** How much the place where the logs are kept can hold in all, and how much of it is free, in bytes. */
export interface StorageVolume {
  readonly totalBytes: number;
  readonly usableBytes: number;
}
