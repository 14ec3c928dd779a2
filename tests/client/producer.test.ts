import { expect, test } from "vitest";
import { ScriptedCluster } from "./scripted-cluster.ts";

test("sends and is acknowledged with the offsets", async () => {
  const cluster = new ScriptedCluster([1]);
  const topic = cluster.createTopic("t", [1]);
  const producer = cluster.kafka().producer();
  await producer.connect();
  const [metadata] = await producer.send({ topic: "t", messages: [{ key: "k", value: "a" }, { value: "b" }] });
  expect(metadata).toMatchObject({ topicName: "t", partition: 0, errorCode: 0, baseOffset: "0" });
  expect(topic.partitions[0]!.values()).toEqual(["a", "b"]);
  await producer.disconnect();
});
