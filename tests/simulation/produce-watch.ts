import type { SimulatedTab } from "../../src/platform/simulated/simulated-tab.ts";
import { produce } from "../../src/protocol/apis/00-produce.ts";
import type { ProduceRequest } from "../../src/protocol/apis/00-produce.ts";
import { decodeRequest, decodeRequestHeader, decodeResponse } from "../../src/protocol/envelope.ts";
import { readBatchHeader } from "../../src/protocol/record-batch.ts";
import type { RequestWatch } from "./open-requests.ts";
import { fail } from "./oracle-context.ts";

interface SentBatch {
  readonly name: string;
  readonly index: number;
  /** Of the producer, in its epoch and in this partition. */
  readonly key: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

/**
 * What an acknowledgement stands for when it is given. With acks=1 the leader's own disk has the batch. And a producer
 * that a leader does not know has one batch on its way, until that is acknowledged: a leader takes any sequence from
 * such a one, so that a second batch could get in before the first.
 */
export class ProduceWatch implements RequestWatch {
  /** By producer id, its epoch and partition, the sequence of the batch that goes first, until it is acknowledged. */
  readonly #first = new Map<string, number | "acknowledged">();

  asked(tab: SimulatedTab, frame: Uint8Array) {
    if (frame[0] !== 0 || frame[1] !== produce.key) return undefined;
    const header = decodeRequestHeader(frame);
    const request = decodeRequest(produce, header);
    const sent = batchesOf(request);
    for (const { name, index, key, producerId, producerEpoch, baseSequence } of sent) {
      const first = this.#first.get(key);
      if (producerId < 0 || first === "acknowledged") continue;
      if (first === undefined) this.#first.set(key, baseSequence);
      else if (first !== baseSequence) {
        const who = `producer ${producerId} in epoch ${producerEpoch}`;
        fail("first-batch-goes-alone", `${who} sends sequence ${baseSequence} of ${name}-${index} behind ${first}`);
      }
    }
    return (answer: Uint8Array) => this.#answered(tab, header.apiVersion, request.acks, sent, answer);
  }

  #answered(tab: SimulatedTab, version: number, acks: number, sent: readonly SentBatch[], answer: Uint8Array): void {
    const succeeded = new Map<string, number>();
    for (const { name, partitionResponses } of decodeResponse(produce, version, answer).body.responses) {
      for (const { index, errorCode, baseOffset } of partitionResponses) {
        if (errorCode === 0) succeeded.set(`${name}-${index}`, baseOffset);
      }
    }
    for (const { name, index, key } of sent) {
      const baseOffset = succeeded.get(`${name}-${index}`);
      if (baseOffset === undefined) continue;
      this.#first.set(key, "acknowledged");
      const topicId = tab.core?.image.topicNamed(name)?.topicId;
      if (acks !== 1 || topicId === undefined) continue;
      const end = tab.storage.image.logs.endOffset(`${topicId}/${index}`);
      if (end > baseOffset) continue;
      const what = `offset ${baseOffset} of ${name}-${index}`;
      fail("leader-acks-what-is-stored", `${tab.name} acknowledges ${what}, and has stored up to ${end}`);
    }
  }
}

function batchesOf({ topicData }: ProduceRequest): SentBatch[] {
  const sent: SentBatch[] = [];
  for (const { name, partitionData } of topicData) {
    for (const { index, records } of partitionData) {
      if (records === null) continue;
      const { producerId, producerEpoch, baseSequence } = readBatchHeader(records);
      const key = `${producerId}/${producerEpoch}/${name}-${index}`;
      sent.push({ name, index, key, producerId, producerEpoch, baseSequence });
    }
  }
  return sent;
}
