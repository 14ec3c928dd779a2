import { beforeEach, describe, expect, test } from "vitest";
import { produce } from "../../src/protocol/apis/00-produce.ts";
import { encodeRequest } from "../../src/protocol/envelope.ts";
import { encodeBatch } from "../../src/protocol/record-batch.ts";
import { ViolationFound } from "./recorder.ts";
import { SequenceWatch } from "./sequence-watch.ts";

/** One producer sends batches of one message to one partition, and no answer comes. */
describe("no batch is sent that makes a leader forget one without an answer, says the oracle", () => {
  const connection = {};
  let watch: SequenceWatch;
  let requests: number;

  const send = (...sequences: number[]) => {
    for (const baseSequence of sequences) {
      const value = new TextEncoder().encode(`producer-0.1-${baseSequence}~~~`);
      const init = { producerId: 4000, producerEpoch: 0, baseSequence };
      const records = encodeBatch([{ offset: 0, timestamp: 1000, key: null, value, headers: [] }], init);
      const topicData = [{ name: "t", partitionData: [{ index: 0, records }] }];
      const header = { correlationId: requests++, clientId: "test" };
      const body = { transactionalId: null, acks: -1, timeoutMs: 5000, topicData };
      watch.exchanged(connection, encodeRequest(produce, 9, header, body).slice(), true);
    }
  };
  const giveUp = (sequence: number) => watch.gaveUp("t-0", `producer-0.1-${sequence}`);

  beforeEach(() => {
    watch = new SequenceWatch("producer-0.1");
    requests = 0;
  });

  test("a sixth after five without an answer is one too many", () => {
    send(0, 1, 2, 3, 4, 0);
    expect(() => send(5)).toThrow(ViolationFound);
  });

  test("a batch that was given up before its request left the page does not count", () => {
    giveUp(0);
    giveUp(1);
    send(0, 1, 2, 3, 4, 5, 6);
    expect(() => send(7)).toThrow("sends sequence 7 of t-0 after 2");
  });
});
