import { expect, test } from "vitest";
import type { EachBatchPayload } from "../../src/client/consumer-types.ts";
import { encodeBatch } from "../../src/protocol/record-batch.ts";
import { ScriptedCluster } from "./scripted-cluster.ts";

/** What a consumer is asked by mistake is refused, in words, and does no harm. */

test("a consumer whose settings are refused is not connected the next time either", async () => {
  const cluster = new ScriptedCluster();
  const consumer = cluster.kafka().consumer({ groupId: "g", heartbeatInterval: 9_000, sessionTimeout: 6_000 });
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(consumer.connect()).rejects.toThrow("heartbeatInterval (9000) must be less than sessionTimeout");
  }
  await expect(consumer.subscribe({ topics: ["t"] })).rejects.toThrow("call connect() first");
  let closed = 0;
  const platform = cluster.platform.bind(cluster);
  cluster.platform = () => {
    const made = platform();
    return { ...made, close: () => (closed++, made.close()) };
  };
  const other = cluster.kafka().consumer();
  await other.connect();
  await other.disconnect();
  expect(closed).toBe(1);
});

test.each([
  ["a text for topics", { topics: "orders" as unknown as string[] }, "topics is orders; it must be an array"],
  ["no topic", {}, "subscribe() needs topics"],
  ["an empty list", { topics: [] }, "subscribe() needs topics"],
  ["what is no topic", { topics: [7 as unknown as string] }, "Invalid topic 7"],
  ["an empty name", { topic: "" }, "Invalid topic "],
])("subscribing to %s", async (_, subscription, message) => {
  const cluster = new ScriptedCluster();
  const consumer = cluster.kafka().consumer();
  await consumer.connect();
  await expect(consumer.subscribe(subscription)).rejects.toThrow(message);
  expect(cluster.topics.size).toBe(0);
  await consumer.disconnect();
});

test("offsets that are none", async () => {
  const cluster = new ScriptedCluster();
  const topic = cluster.createTopic("t", [1]);
  const records = [0, 1, 2].map((offset) => ({ offset, timestamp: 0, key: null, value: Uint8Array.of(offset) }));
  topic.partitions[0]!.append(encodeBatch(records), 0);
  const consumer = cluster.kafka().consumer({ retry: { initialRetryTime: 1 } });
  await consumer.connect();
  consumer.assign([{ topic: "t", partition: 0, offset: "earliest" }]);
  const refused: string[] = [];
  const note = (error: Error) => void refused.push(error.message);
  const nonsense = ["x", "", "-1", "1.5", undefined as unknown as string];
  await new Promise<void>((done) => {
    const eachBatch = async ({ resolveOffset }: EachBatchPayload) => {
      for (const offset of nonsense) {
        try {
          resolveOffset(offset);
        } catch (error) {
          note(error as Error);
        }
      }
      resolveOffset("1");
      done();
    };
    void consumer.run({ eachBatch, eachBatchAutoResolve: false });
  });
  await consumer.stop();
  expect(refused).toEqual(nonsense.map((offset) => `Invalid offset ${offset} for partition 0 of topic t`));
  expect(consumer.positions()).toEqual([{ topic: "t", partition: 0, offset: "2" }]);
  await consumer.disconnect();
});

test("listening to an event that there is not", () => {
  const kafka = new ScriptedCluster().kafka();
  const message = 'There is no event "consumer.heartbeats"; there are';
  for (const client of [kafka.consumer(), kafka.producer(), kafka.admin()]) {
    expect(() => client.on("consumer.heartbeats", () => {})).toThrow(message);
  }
});
