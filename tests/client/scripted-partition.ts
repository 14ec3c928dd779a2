import type { ErrorName } from "../../src/protocol/error-codes.ts";
import {
  batches,
  readBatchHeader,
  recordsSection,
  setBaseOffset,
  setPartitionLeaderEpoch,
} from "../../src/protocol/record-batch.ts";
import type { BatchHeader } from "../../src/protocol/record-batch.ts";
import { decodeRecords } from "../../src/protocol/records.ts";
import type { KafkaRecord } from "../../src/protocol/records.ts";

interface Remembered {
  readonly first: number;
  readonly last: number;
  readonly offset: number;
}

interface ProducerState {
  epoch: number;
  batches: Remembered[];
}

export type AppendResult = { readonly error: ErrorName } | { readonly error: "NONE"; readonly baseOffset: number };

const SEQUENCES = 2 ** 31;

/** The log of one partition as a leader keeps it, with the rules for idempotent producers; written from KIP-98. */
export class ScriptedPartition {
  readonly batches: { readonly header: BatchHeader; readonly bytes: Uint8Array }[] = [];
  producers = new Map<number, ProducerState>();
  logStartOffset = 0;
  endOffset = 0;
  duplicates = 0;

  append(records: Uint8Array, leaderEpoch: number): AppendResult {
    const [view, more] = batches(records);
    if (view === undefined || more !== undefined) return { error: "INVALID_RECORD" };
    const { header } = view;
    if (header.producerId >= 0) {
      const judged = this.#judge(header);
      if (judged !== undefined) return judged;
    }
    const bytes = view.bytes.slice();
    const baseOffset = this.endOffset;
    setBaseOffset(bytes, baseOffset);
    setPartitionLeaderEpoch(bytes, leaderEpoch);
    this.batches.push({ header: readBatchHeader(bytes), bytes });
    this.endOffset += header.recordCount;
    if (header.producerId >= 0) this.#remember(header, baseOffset);
    return { error: "NONE", baseOffset };
  }

  /** Forgets everything from `offset` on, as after an unclean election. */
  truncate(offset: number): void {
    while (this.batches.length > 0 && this.batches.at(-1)!.header.lastOffset >= offset) this.batches.pop();
    this.endOffset = (this.batches.at(-1)?.header.lastOffset ?? -1) + 1;
    this.#forgetProducersFrom(this.endOffset);
  }

  /** What a fetch from `offset` gets: from the batch that holds it, at least one, then more up to `maxBytes`. */
  read(offset: number, maxBytes: number): Uint8Array {
    const found: Uint8Array[] = [];
    let size = 0;
    for (const { header, bytes } of this.batches) {
      if (header.lastOffset < offset) continue;
      if (found.length > 0 && size + bytes.length > maxBytes) break;
      found.push(bytes);
      size += bytes.length;
    }
    return Buffer.concat(found);
  }

  /** Where `epoch`, or the last one before it, ended. */
  epochEnd(epoch: number): { epoch: number; endOffset: number } {
    const upTo = this.batches.filter(({ header }) => header.partitionLeaderEpoch <= epoch).at(-1)?.header;
    if (upTo === undefined) return { epoch: -1, endOffset: -1 };
    const next = this.batches.find(({ header }) => header.partitionLeaderEpoch > epoch)?.header;
    return { epoch: upTo.partitionLeaderEpoch, endOffset: next?.baseOffset ?? this.endOffset };
  }

  /** All records; compressed batches are for others to decode. */
  records(): KafkaRecord[] {
    return this.batches.flatMap(({ header, bytes }) => decodeRecords(recordsSection(bytes), header));
  }

  values(): string[] {
    return this.records().map(({ value }) => new TextDecoder().decode(value!));
  }

  #judge({ producerId, producerEpoch, baseSequence, recordCount }: BatchHeader): AppendResult | undefined {
    const state = this.producers.get(producerId);
    if (state === undefined) return undefined;
    const last = (baseSequence + recordCount - 1) % SEQUENCES;
    if (producerEpoch === state.epoch) {
      const known = state.batches.find((batch) => batch.first === baseSequence && batch.last === last);
      if (known !== undefined) {
        this.duplicates++;
        return { error: "NONE", baseOffset: known.offset };
      }
    }
    if (producerEpoch < state.epoch) return { error: "INVALID_PRODUCER_EPOCH" };
    const due = producerEpoch > state.epoch ? 0 : (state.batches.at(-1)!.last + 1) % SEQUENCES;
    return baseSequence === due ? undefined : { error: "OUT_OF_ORDER_SEQUENCE_NUMBER" };
  }

  #remember({ producerId, producerEpoch, baseSequence, recordCount }: BatchHeader, offset: number): void {
    const state = this.producers.get(producerId);
    const batch = { first: baseSequence, last: (baseSequence + recordCount - 1) % SEQUENCES, offset };
    if (state === undefined || state.epoch < producerEpoch) {
      this.producers.set(producerId, { epoch: producerEpoch, batches: [batch] });
    } else {
      state.batches = [...state.batches, batch].slice(-5);
    }
  }

  #forgetProducersFrom(offset: number): void {
    for (const [id, state] of this.producers) {
      state.batches = state.batches.filter((batch) => batch.offset < offset);
      if (state.batches.length === 0) this.producers.delete(id);
    }
  }
}
