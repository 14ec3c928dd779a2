import { expect, test, vi } from "vitest";
import { partitionKey } from "../../src/log/stored-log.ts";
import {
  EARLIEST_LOCAL_TIMESTAMP,
  EARLIEST_TIMESTAMP,
  LATEST_TIMESTAMP,
  MAX_TIMESTAMP,
  listOffsets,
} from "../../src/protocol/apis/02-list-offsets.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { CoreCluster } from "./core-cluster.ts";
import type { CoreBroker } from "./core-cluster.ts";
import { createTopic, leaderOf, produced, threeTabs, untilInSync } from "./core-requests.ts";

const PARTITIONS = 8;

/** A broker that has nothing of its partitions in memory, and a record in all but the last of them. */
function restarted(): CoreBroker {
  const cluster = new CoreCluster();
  const [tab] = cluster.startRunning("a") as [CoreBroker];
  createTopic(cluster, "quakes", { partitions: PARTITIONS });
  leaderOf(cluster, "quakes", PARTITIONS - 1);
  for (let partition = 0; partition < PARTITIONS - 1; partition++) {
    produced(cluster, tab.connect(), "quakes", ["x"], { partition });
  }
  tab.kill();
  // A start reads nothing below the snapshots of the producers.
  tab.disk = tab.disk.apply(
    tab.disk.load().map(({ metadata, chunks }) => ({
      type: "put-metadata",
      key: partitionKey(metadata.topicId, metadata.partitionIndex),
      metadata: { ...metadata, producerSnapshot: { offset: chunks.length, producers: [] } },
    })),
  );
  tab.start();
  leaderOf(cluster, "quakes", PARTITIONS - 1);
  return tab;
}

const asking = (partitionIndexes: readonly number[], timestamp: number) => ({
  topics: [{ name: "quakes", partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, timestamp })) }],
});

test("offsets by timestamp take one chunk at a time from the disk, however many partitions are asked for", () => {
  const tab = restarted();
  const handle = tab.core.handle.bind(tab.core);
  let underWay = 0;
  let most = 0;
  let reads = 0;
  vi.spyOn(tab.core, "handle").mockImplementation((event, ...at) => {
    if (event.type === "read") underWay--;
    const effects = handle(event, ...at);
    for (const { type } of effects) {
      if (type !== "read") continue;
      reads++;
      most = Math.max(most, ++underWay);
    }
    return effects;
  });
  const all = Array.from({ length: PARTITIONS }, (_, index) => index);
  const { partitions } = tab.connect().ask(listOffsets, 5, asking(all, 1)).topics[0]!;
  expect(reads).toBe(PARTITIONS - 1);
  expect(most).toBe(1);
  expect(partitions.map(({ partitionIndex }) => partitionIndex)).toEqual(all);
  expect(partitions.map(({ offset }) => offset)).toEqual(all.map((index) => (index < PARTITIONS - 1 ? 0 : -1)));
});

test("offsets are told of as many partitions as one request can name", () => {
  const tab = restarted();
  const many = Array.from({ length: 50_000 }, (_, index) => index);
  const { partitions } = tab.connect().ask(listOffsets, 5, asking([...many, 3], -2)).topics[0]!;
  expect(partitions).toHaveLength(many.length);
  expect(partitions[2]).toMatchObject({ errorCode: 0, offset: 0 });
  expect(partitions[3]).toMatchObject({ errorCode: 42 });
  expect(partitions.at(-1)).toMatchObject({ errorCode: 3 });
});

test("[R14] an end that may not be told yet is an error that clients of the version know (KIP-207)", () => {
  const { cluster, tabs } = threeTabs("quakes");
  const leader = leaderOf(cluster, "quakes");
  for (const tab of tabs) if (tab !== leader) tab.kill();
  untilInSync(cluster, "quakes", 1);
  produced(cluster, leader.connect(), "quakes", ["not committed"], { acks: 1 });
  leader.kill();
  leader.start();
  const errorIn = (version: number) => {
    const asked = asking([0], LATEST_TIMESTAMP);
    const { topics } = leaderOf(cluster, "quakes").connect().ask(listOffsets, version, asked);
    return errorName(topics[0]!.partitions[0]!.errorCode);
  };
  expect([1, 2, 3, 4].map(errorIn)).toEqual(Array(4).fill("LEADER_NOT_AVAILABLE"));
  expect([5, 6, 7, 8].map(errorIn)).toEqual(Array(4).fill("OFFSET_NOT_AVAILABLE"));
});

test.each([
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL_TIMESTAMP, 8],
  [LATEST_TIMESTAMP, 1],
  [EARLIEST_TIMESTAMP, 1],
  [-5, Number.POSITIVE_INFINITY],
])("the timestamp %i is refused below version %i", (timestamp, since) => {
  const tab = restarted();
  for (let version = 1; version <= 8; version++) {
    const { topics } = tab.connect().ask(listOffsets, version, asking([0], timestamp));
    const error = errorName(topics[0]!.partitions[0]!.errorCode);
    expect(error, String(version)).toBe(version < since ? "UNSUPPORTED_VERSION" : "NONE");
  }
});
