import type { BatchFault } from "../protocol/produced-batch.ts";
import type { CodecName } from "../protocol/record-batch.ts";
import type { BrokerEffect } from "./effects.ts";

/** The batch with another codec, or why there is none. */
export type Recompressed = { readonly batch: Uint8Array } | BatchFault;

/** By the batch as its producer sent it. */
export type WantedCodecs = ReadonlyMap<Uint8Array, CodecName>;
export type RecompressedBatches = ReadonlyMap<Uint8Array, Recompressed>;

interface Turn {
  readonly wanted: WantedCodecs;
  readonly proceed: (batches: RecompressedBatches) => void;
}

/**
 * Gives batches the codec that their topic's `compression.type` asks for. Codecs are asynchronous and appending is not,
 * so a request waits while its batches are compressed anew, and every request that comes meanwhile waits behind it:
 * records are appended in the order in which they came.
 */
export class Recompression {
  readonly #effects: (effect: BrokerEffect) => void;
  /** The first one's batches are being compressed. */
  readonly #turns: Turn[] = [];

  constructor(effects: (effect: BrokerEffect) => void) {
    this.#effects = effects;
  }

  /** Goes on at once if nothing is wanted and nobody waits. */
  inTurn(wanted: WantedCodecs, proceed: (batches: RecompressedBatches) => void): void {
    if (wanted.size === 0 && this.#turns.length === 0) return proceed(new Map());
    this.#turns.push({ wanted, proceed });
    if (this.#turns.length === 1) this.#begin();
  }

  /** What the first of the waiting requests wanted is done. */
  done(batches: RecompressedBatches): void {
    this.#turns.shift()!.proceed(batches);
    this.#begin();
  }

  #begin(): void {
    for (let turn = this.#turns[0]; turn !== undefined; turn = this.#turns[0]) {
      if (turn.wanted.size > 0) return this.#effects({ type: "recompress", wanted: turn.wanted });
      this.#turns.shift();
      turn.proceed(new Map());
    }
  }
}
