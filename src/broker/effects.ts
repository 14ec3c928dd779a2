import type { PartitionKey, StoreOperation } from "../log/stored-log.ts";
import type { WantedCodecs } from "./recompression.ts";
import type { Durability, StorageIdentity } from "./storage-identity.ts";

/** What a broker wants done. The runtime does it in order; what has an outcome comes back as an event. */
export type BrokerEffect =
  | { readonly type: "send"; readonly connectionId: number; readonly frame: Uint8Array }
  | { readonly type: "close-connection"; readonly connectionId: number; readonly reason: string }
  /** The other end is asked to send nothing more for the time being, or to go on. Not every one can be asked. */
  | { readonly type: "hold-connection"; readonly connectionId: number; readonly held: boolean }
  | { readonly type: "dial"; readonly linkId: number; readonly host: string; readonly port: number }
  | { readonly type: "link-send"; readonly linkId: number; readonly frame: Uint8Array }
  | { readonly type: "close-link"; readonly linkId: number; readonly reason: string }
  | { readonly type: "controller-send"; readonly frame: Uint8Array }
  | {
      readonly type: "write";
      readonly writeId: number;
      readonly operations: readonly StoreOperation[];
      /** The topic's. Writes that share a transaction get the strictest of theirs. */
      readonly durability: Durability;
    }
  | {
      readonly type: "read";
      readonly readId: number;
      readonly key: PartitionKey;
      readonly fromOffset: number;
      readonly maxBytes: number;
      /** Whether the records of compressed batches are wanted as well, as far as they can be had. */
      readonly opened?: boolean;
    }
  | { readonly type: "recompress"; readonly wanted: WantedCodecs }
  | { readonly type: "save-identity"; readonly identity: StorageIdentity }
  | { readonly type: "log"; readonly level: "debug" | "info" | "warn" | "error"; readonly message: string }
  /** A controlled shutdown is over: nothing leads here any more. */
  | { readonly type: "stopped" };
