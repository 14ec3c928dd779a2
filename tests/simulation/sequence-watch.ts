import { produce } from "../../src/protocol/apis/00-produce.ts";
import type { ProduceRequest } from "../../src/protocol/apis/00-produce.ts";
import { decodeCorrelationId, decodeRequest, decodeRequestHeader, decodeResponse } from "../../src/protocol/envelope.ts";
import { readBatchHeader, recordsSection } from "../../src/protocol/record-batch.ts";
import { decodeRecords } from "../../src/protocol/records.ts";
import { fail } from "./oracle-context.ts";
import { withoutPadding } from "./padding.ts";

interface SentBatch {
  readonly sequence: number;
  isAcknowledged: boolean;
}

interface Asked {
  readonly version: number;
  readonly request: ProduceRequest;
}

/** A leader tells so many of a producer's batches when they come again (KIP-98). */
const REMEMBERED_BATCHES = 5;

/**
 * Follows the requests of one producer of the SDK where they leave its page. It never sends a batch that makes the
 * leader forget one whose fate it does not know: then nobody could tell whether that one has to be written again.
 */
export class SequenceWatch {
  readonly #process: string;
  /** By connection and correlation id. */
  readonly #asked = new Map<object, Map<number, Asked>>();
  /** By partition, then by producer id and epoch, what was sent from the oldest batch on that has no answer. */
  readonly #sent = new Map<string, Map<string, SentBatch[]>>();
  /** Values of which the application was told that they may or may not be there. */
  readonly #givenUp = new Set<string>();

  constructor(process: string) {
    this.#process = process;
  }

  exchanged(connection: object, frame: Uint8Array, isSent: boolean): void {
    const asked = this.#asked.get(connection) ?? new Map<number, Asked>();
    this.#asked.set(connection, asked);
    if (!isSent) {
      const correlationId = decodeCorrelationId(frame);
      const known = asked.get(correlationId);
      if (known !== undefined) this.#answered(known, frame);
      return void asked.delete(correlationId);
    }
    if (frame[0] !== 0 || frame[1] !== produce.key) return;
    const header = decodeRequestHeader(frame);
    const request = decodeRequest(produce, header);
    asked.set(header.correlationId, { version: header.apiVersion, request });
    for (const { name, partitionData } of request.topicData) {
      for (const { index, records } of partitionData) this.#send(`${name}-${index}`, records!);
    }
  }

  /** The application was told that a message may or may not be there: its batch is not sent again. */
  gaveUp(partition: string, value: string): void {
    this.#sent.delete(partition);
    this.#givenUp.add(value);
  }

  #send(partition: string, records: Uint8Array): void {
    // A request that waited for its connection leaves the page even if its batch was given up meanwhile: then nobody
    // waits for the answer, and what is sent after it makes no leader forget what is still to be known.
    if (this.#givenUp.size > 0 && valuesOf(records).every((value) => this.#givenUp.has(value))) return;
    const { sent, baseSequence } = this.#of(partition, records);
    while (sent[0]?.isAcknowledged === true) sent.shift();
    if (sent.some(({ sequence }) => sequence === baseSequence)) return;
    // One that was forgotten when another was given up may be sent again behind its successors.
    const successor = sent.findIndex(({ sequence }) => isBefore(baseSequence, sequence));
    sent.splice(successor < 0 ? sent.length : successor, 0, { sequence: baseSequence, isAcknowledged: false });
    if (sent.length <= REMEMBERED_BATCHES) return;
    const oldest = `${sent[0]!.sequence}, which has no answer yet`;
    fail("batches-are-remembered", `${this.#process} sends sequence ${baseSequence} of ${partition} after ${oldest}`);
  }

  #answered({ version, request }: Asked, frame: Uint8Array): void {
    for (const { name, partitionResponses } of decodeResponse(produce, version, frame).body.responses) {
      const { partitionData } = request.topicData.find((topic) => topic.name === name)!;
      for (const { index, errorCode } of partitionResponses) {
        const { sent, baseSequence } = this.#of(`${name}-${index}`, partitionData.find((one) => one.index === index)!.records!);
        const batch = sent.find(({ sequence }) => sequence === baseSequence);
        if (errorCode === 0 && batch !== undefined) batch.isAcknowledged = true;
      }
    }
  }

  #of(partition: string, records: Uint8Array): { readonly sent: SentBatch[]; readonly baseSequence: number } {
    const { producerId, producerEpoch, baseSequence } = readBatchHeader(records);
    const epochs = this.#sent.get(partition) ?? new Map<string, SentBatch[]>();
    this.#sent.set(partition, epochs);
    const sent = epochs.get(`${producerId}/${producerEpoch}`) ?? [];
    epochs.set(`${producerId}/${producerEpoch}`, sent);
    return { sent, baseSequence };
  }
}

/** What the application has sent in a batch, which is not compressed. */
function valuesOf(records: Uint8Array): string[] {
  return decodeRecords(recordsSection(records), readBatchHeader(records)).map(({ value }) => {
    return withoutPadding(new TextDecoder().decode(value!));
  });
}

/** Sequences go round at 2^31; those of one producer under way lie close together. */
function isBefore(sequence: number, other: number): boolean {
  return sequence !== other && ((other - sequence) & 0x7fff_ffff) < 2 ** 30;
}
