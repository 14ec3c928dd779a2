/**
 * Who this storage is. Kept in the same database as the logs, so that storage which vanished, travelled back in time or
 * was cloned can never pass for the broker it was (reliability rules R11, R12).
 *
 * Registration presents `generation`, `nonce` and `pendingNonce`; once the controller accepts, the broker stores
 * `generation + 1` with `nonce = pendingNonce` and confirms. Only then is it unfenced.
 */
export interface StorageIdentity {
  readonly directoryId: string;
  /** -1 until a controller has granted one. */
  readonly brokerId: number;
  /** Of the cluster this directory belongs to; undefined until it has joined one. */
  readonly clusterId: string | undefined;
  readonly generation: number;
  readonly nonce: string | undefined;
  readonly pendingNonce: string | undefined;
  readonly durability: Durability;
  /** The newest metadata this directory has seen: an older controller is refused (R19). */
  readonly metadataEpoch: number;
  readonly metadataOffset: number;
  /** What was found broken in the logs, which others have whole: this storage serves no more. */
  readonly damage?: string;
}

/** Of storage that no broker has used yet. */
export function newIdentity(directoryId: string, durability: Durability): StorageIdentity {
  return {
    directoryId,
    brokerId: -1,
    clusterId: undefined,
    generation: 0,
    nonce: undefined,
    pendingNonce: undefined,
    durability,
    metadataEpoch: -1,
    metadataOffset: 0,
  };
}

/** `strict` flushes before a write counts as durable; `relaxed` leaves it with the operating system. */
export type Durability = "strict" | "relaxed";
