import { expect, test } from "vitest";
import { DefaultPartitioner, Partitioners } from "../../src/client/partitioner.ts";

/** Chooses for messages without a key, in partitions that have these leaders. */
function chooser() {
  const choose = DefaultPartitioner(() => 0);
  return (...leaders: readonly number[]) =>
    choose({
      topic: "t",
      message: { value: "v" },
      partitionMetadata: leaders.map((leader, partitionId) => ({
        partitionErrorCode: 0,
        partitionId,
        leader,
        replicas: [],
        isr: [],
        offlineReplicas: [],
      })),
    });
}

test("KafkaJS's LegacyPartitioner is refused, for with another one its keys would go elsewhere without a word", () => {
  expect(() => Partitioners.LegacyPartitioner()).toThrow("hashes keys differently from every other client");
});

test("messages without a key leave a partition that has no leader for one that has", () => {
  const choose = chooser();
  expect(choose(-1, -1, -1)).toBe(0);
  expect(choose(-1, 1, -1)).toBe(1);
  expect(choose(1, 1, -1)).toBe(1);
});

test("messages without a key stay together while no partition has a leader", () => {
  const choose = chooser();
  expect(choose(-1, 1)).toBe(1);
  expect(choose(-1, -1)).toBe(1);
});

test("messages without a key leave a partition that is there no more", () => {
  const choose = chooser();
  expect(choose(-1, 1)).toBe(1);
  expect(choose(1)).toBe(0);
  expect(choose(-1)).toBe(0);
});
