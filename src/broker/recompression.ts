import type { BatchFault } from "../protocol/produced-batch.ts";
import type { CodecName } from "../protocol/record-batch.ts";
import type { BrokerEffect } from "./effects.ts";

export interface WantedCodec {
  /** That of the batch as it was sent, if it is only to be opened. */
  readonly codec: CodecName;
  /** Whether its records are looked at one by one before it is appended. */
  readonly opened: boolean;
}

/** The batch with that codec, and its records if they are to be looked at, and are compressed in it; or why not. */
export type Recompressed = { readonly batch: Uint8Array; readonly section?: Uint8Array | undefined } | BatchFault;

/** By the batch as its producer sent it. */
export type WantedCodecs = ReadonlyMap<Uint8Array, WantedCodec>;
export type RecompressedBatches = ReadonlyMap<Uint8Array, Recompressed>;

interface Turn {
  readonly wanted: WantedCodecs;
  readonly bytes: number;
  readonly proceed: (batches: RecompressedBatches) => void;
}

/** What may wait, of all connections together. A request waits on when its connection is gone. */
export const MAX_WAITING_BYTES = 256 * 1024 * 1024;

const NOTHING: RecompressedBatches = new Map();

/**
 * Gives batches the codec that their topic's `compression.type` asks for, and opens those of which the topic's
 * configuration asks something that only their records tell. Codecs are asynchronous and appending is not, so a request
 * waits meanwhile, and every request that comes waits behind it: records are appended in the order in which they came.
 */
export class Recompression {
  readonly #effects: (effect: BrokerEffect) => void;
  /** The first one's batches are at the codecs. */
  readonly #turns: Turn[] = [];
  #waitingBytes = 0;

  constructor(effects: (effect: BrokerEffect) => void) {
    this.#effects = effects;
  }

  /**
   * Goes on at once if nothing is wanted and nobody waits. `bytes` is what waiting keeps in memory; if too much waits
   * already, it says false and does nothing.
   */
  inTurn(wanted: WantedCodecs, bytes: number, proceed: (batches: RecompressedBatches) => void): boolean {
    if (this.#turns.length === 0 && wanted.size === 0) {
      proceed(NOTHING);
      return true;
    }
    if (this.#turns.length > 0 && this.#waitingBytes + bytes > MAX_WAITING_BYTES) return false;
    this.#waitingBytes += bytes;
    this.#turns.push({ wanted, bytes, proceed });
    if (this.#turns.length === 1) this.#begin();
    return true;
  }

  /** What the first of the waiting requests wanted is done. */
  done(batches: RecompressedBatches): void {
    this.#proceed(batches);
    this.#begin();
  }

  #begin(): void {
    for (let turn = this.#turns[0]; turn !== undefined; turn = this.#turns[0]) {
      if (turn.wanted.size > 0) return this.#effects({ type: "recompress", wanted: turn.wanted });
      this.#proceed(NOTHING);
    }
  }

  #proceed(batches: RecompressedBatches): void {
    const { bytes, proceed } = this.#turns.shift()!;
    this.#waitingBytes -= bytes;
    proceed(batches);
  }
}
