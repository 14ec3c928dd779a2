import { expect, test, vi } from "vitest";
import { readTopic } from "../../src/inspector/topic-reader.ts";
import { ScriptedCluster } from "../client/scripted-cluster.ts";

test("a reader that cannot begin leaves no connection behind", async () => {
  const cluster = new ScriptedCluster();
  cluster.createTopic("t", [1]);
  const close = vi.fn();
  const platform = cluster.platform.bind(cluster);
  cluster.platform = () => {
    const made = platform();
    return { ...made, close: () => (close(), made.close()) };
  };
  const kafka = cluster.kafka();
  await using other = kafka.admin();
  await other.connect();
  // What a time that was cleared in the form comes to.
  const from = { kind: "timestamp", timestampMs: Number.NaN } as const;
  await expect(readTopic(kafka, { topic: "t", from, onBatch: () => {} })).rejects.toThrow("Invalid timestamp NaN");
  expect(close).not.toHaveBeenCalled();
  await other.disconnect();
  expect(close).toHaveBeenCalledOnce();
});
