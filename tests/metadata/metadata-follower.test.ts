import { describe, expect, test } from "vitest";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import type { FetchRequestInit } from "../../src/protocol/apis/01-fetch.ts";
import { fetchSnapshot } from "../../src/protocol/apis/59-fetch-snapshot.ts";
import { createTopics } from "../../src/protocol/apis/19-create-topics.ts";
import { deleteTopics } from "../../src/protocol/apis/20-delete-topics.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { METADATA_TOPIC, METADATA_TOPIC_ID } from "../../src/metadata/metadata-batch.ts";
import { MetadataFollower } from "../../src/metadata/metadata-follower.ts";
import type { FollowResult } from "../../src/metadata/metadata-follower.ts";
import { CLUSTER_ID, ControllerDriver, newDirectory, TestBroker } from "./controller-driver.ts";

const NOTHING_SEEN = { clusterId: undefined, epoch: -1, endOffset: 0 };

function start(config: ConstructorParameters<typeof ControllerDriver>[0] = {}) {
  const driver = new ControllerDriver(config);
  const brokers = [1, 2].map((number) => TestBroker.start(driver, newDirectory(number)));
  return { driver, brokers, connectionId: driver.open(), follower: new MetadataFollower(NOTHING_SEEN) };
}

/** Asks once. */
function ask(driver: ControllerDriver, connectionId: number, follower: MetadataFollower): FollowResult {
  const { api, version, body } = follower.request();
  if (api === fetch) {
    const question = { ...(body as FetchRequestInit), maxWaitMs: 0 };
    return follower.onResponse(driver.ask(connectionId, fetch, version, question));
  }
  return follower.onResponse(driver.ask(connectionId, fetchSnapshot, version, body as never));
}

/** Asks until there is nothing new. */
function follow(driver: ControllerDriver, connectionId: number, follower: MetadataFollower): FollowResult {
  const changed = [];
  for (let asked = 0; asked < 1_000; asked++) {
    const result = ask(driver, connectionId, follower);
    if (result.error !== undefined) return result;
    changed.push(...result.changed);
    if (follower.image.endOffset === driver.image.endOffset) return { changed };
  }
  throw new Error("the follower does not catch up");
}

interface FetchDetails {
  readonly maxWaitMs?: number;
  readonly epoch?: number;
  readonly leaderEpoch?: number;
  readonly maxBytes?: number;
}

function metadataFetch(fetchOffset: number, more: FetchDetails = {}) {
  return {
    maxWaitMs: more.maxWaitMs ?? 0,
    minBytes: 1,
    maxBytes: more.maxBytes ?? 1_000_000,
    topics: [
      {
        topic: METADATA_TOPIC,
        topicId: METADATA_TOPIC_ID,
        partitions: [
          {
            partition: 0,
            fetchOffset,
            currentLeaderEpoch: more.leaderEpoch ?? -1,
            lastFetchedEpoch: more.epoch ?? -1,
            partitionMaxBytes: more.maxBytes ?? 1_000_000,
          },
        ],
      },
    ],
  };
}

describe("following the log", () => {
  test("[R19] gives the controller's image, record by record", () => {
    const { driver, connectionId, follower } = start();
    driver.createTopic("quakes", 2);
    const { changed } = follow(driver, connectionId, follower);
    expect(follower.image).toEqual(driver.image);
    expect(changed).toContainEqual({ kind: "broker", brokerId: 1 });
    expect(changed).toContainEqual({ kind: "topic", topicId: driver.image.topicsByName.get("quakes") });
    const before = follower.image.topicNamed("quakes")!.partitions;
    const untouched = before[1]!;
    driver.createTopic("other", 1);
    expect(follow(driver, connectionId, follower).changed.map(({ kind }) => kind)).toEqual(["topic", "partition"]);
    expect(follower.image.topicNamed("quakes")!.partitions[1]).toBe(untouched);
  });

  test("[R1] shows only what is durable", () => {
    const { driver, connectionId, follower } = start();
    follow(driver, connectionId, follower);
    driver.holdAppends = true;
    const topics = [{ name: "quakes", numPartitions: 1, replicationFactor: 1 }];
    driver.send(connectionId, createTopics, 7, { topics });
    expect(driver.image.topicsByName.has("quakes")).toBe(true);
    expect(ask(driver, connectionId, follower)).toEqual({ changed: [] });
    driver.completeAppend();
    const { changed } = ask(driver, connectionId, follower);
    expect(changed.map(({ kind }) => kind)).toEqual(["topic", "config", "partition"]);
  });

  test("a fetch waits for something new, and is answered the moment it is durable", () => {
    const { driver, connectionId } = start();
    const end = driver.image.endOffset;
    const asked = driver.send(connectionId, fetch, 17, metadataFetch(end, { maxWaitMs: 5_000 }));
    driver.advance(300);
    expect(driver.answer(connectionId, fetch, 17, asked)).toBeUndefined();
    driver.createTopic("quakes", 1);
    const [partition] = driver.answer(connectionId, fetch, 17, asked)!.responses[0]!.partitions;
    expect(partition!.records!.length).toBeGreaterThan(0);
    expect(partition!.highWatermark).toBe(driver.image.endOffset);
  });

  test("a fetch that waits in vain is answered empty in time, but no later than the controller allows", () => {
    const { driver, connectionId } = start({ maxFetchWaitMs: 2_000, sessionTimeoutMs: 60_000 });
    const end = driver.image.endOffset;
    const short = driver.send(connectionId, fetch, 17, metadataFetch(end, { maxWaitMs: 500 }));
    driver.advance(499);
    expect(driver.answer(connectionId, fetch, 17, short)).toBeUndefined();
    driver.advance(1);
    expect(driver.answer(connectionId, fetch, 17, short)!.responses[0]!.partitions[0]).toMatchObject({ errorCode: 0 });
    const long = driver.send(connectionId, fetch, 17, metadataFetch(end, { maxWaitMs: 1_000_000 }));
    driver.advance(2_000);
    expect(driver.answer(connectionId, fetch, 17, long)).toBeDefined();
  });

  test("the next fetch of a connection ends the wait of the one before", () => {
    const { driver, connectionId } = start();
    const end = driver.image.endOffset;
    const first = driver.send(connectionId, fetch, 17, metadataFetch(end, { maxWaitMs: 5_000 }));
    driver.send(connectionId, fetch, 17, metadataFetch(end, { maxWaitMs: 5_000 }));
    expect(driver.answer(connectionId, fetch, 17, first)).toBeDefined();
  });

  test("a small fetch gets one batch at least", () => {
    const { driver, connectionId } = start();
    const answer = driver.ask(connectionId, fetch, 17, metadataFetch(0, { maxBytes: 1 }));
    expect(answer.responses[0]!.partitions[0]!.records!.length).toBeGreaterThan(61);
  });

  test.each([4, 7, 11, 12, 13, 16, 17])("is served in version %d of Fetch", (version) => {
    const { driver, connectionId } = start();
    const [partition] = driver.ask(connectionId, fetch, version, metadataFetch(0)).responses[0]!.partitions;
    expect(partition).toMatchObject({ errorCode: 0, highWatermark: driver.image.endOffset });
    expect(partition!.records!.length).toBeGreaterThan(0);
  });

  test("[R2] a fetch in another epoch than the controller's is refused", () => {
    const { driver, connectionId } = start();
    const errorOf = (leaderEpoch: number) => {
      const { responses } = driver.ask(connectionId, fetch, 17, metadataFetch(0, { leaderEpoch }));
      return errorName(responses[0]!.partitions[0]!.errorCode);
    };
    expect(errorOf(0)).toBe("FENCED_LEADER_EPOCH");
    expect(errorOf(1)).toBe("NONE");
    expect(errorOf(2)).toBe("UNKNOWN_LEADER_EPOCH");
  });

  test("asks that the controller cannot answer are refused by name", () => {
    const { driver, connectionId } = start();
    const good = metadataFetch(0);
    const [topic] = good.topics;
    const errorOf = (body: FetchRequestInit) => {
      const answer = driver.ask(connectionId, fetch, 12, body);
      return errorName(answer.responses[0]?.partitions[0]?.errorCode ?? answer.errorCode);
    };
    expect(errorOf({ ...good, topics: [{ ...topic!, topic: "quakes" }] })).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    expect(errorOf({ ...good, topics: [topic!, topic!] })).toBe("INVALID_REQUEST");
    expect(errorOf({ ...good, sessionId: 5, sessionEpoch: 1 })).toBe("FETCH_SESSION_ID_NOT_FOUND");
    expect(errorOf({ ...good, clusterId: "another" })).toBe("INCONSISTENT_CLUSTER_ID");
    expect(errorOf(metadataFetch(-1))).toBe("OFFSET_OUT_OF_RANGE");
    expect(errorOf({ ...good, topics: [] })).toBe("NONE");
  });
});

describe("a snapshot", () => {
  const small = { snapshotRecords: 20, maxFetchBytes: 200 };

  function long() {
    const world = start(small);
    for (const name of ["a", "b", "c"]) world.driver.createTopic(name, 10);
    for (const broker of world.brokers) {
      broker.die();
      broker.restart();
    }
    return world;
  }

  test("stands in for the part of the log that is gone, and is fetched in pieces", () => {
    const { driver, connectionId, follower } = long();
    expect(follower.request().api).toBe(fetch);
    expect(ask(driver, connectionId, follower)).toEqual({ changed: [] });
    expect(follower.request().api).toBe(fetchSnapshot);
    const { changed } = follow(driver, connectionId, follower);
    expect(follower.image).toEqual(driver.image);
    expect(changed.filter(({ kind }) => kind === "topic")).toHaveLength(3);
  });

  test("is not the present: the log behind it has to be read before the image is current", () => {
    const { driver, connectionId, follower } = long();
    expect(follower.isCurrent).toBe(false);
    let shownEarly = 0;
    for (let asked = 0; asked < 1_000 && !follower.isCurrent; asked++) {
      ask(driver, connectionId, follower);
      if (follower.image.endOffset > 0 && follower.image.endOffset < driver.image.endOffset) shownEarly++;
      expect(follower.isCurrent).toBe(follower.image.endOffset === driver.image.endOffset);
    }
    expect(shownEarly).toBeGreaterThan(0);
    expect(follower.image).toEqual(driver.image);
  });

  test("brings a reader who fell behind up to date, and names only what changed", () => {
    const { driver, connectionId, follower } = long();
    follow(driver, connectionId, follower);
    const before = follower.image;
    driver.createTopic("d", 10);
    driver.ask(connectionId, deleteTopics, 5, { topicNames: ["a"], timeoutMs: 0 });
    for (let round = 0; round < 3; round++) driver.createTopic(`e${round}`, 10);
    driver.ask(connectionId, deleteTopics, 5, { topicNames: ["e0", "e1"], timeoutMs: 0 });
    const removed = before.topicNamed("a")!.topicId;
    const { changed } = follow(driver, connectionId, follower);
    expect(follower.image).toEqual(driver.image);
    expect(follower.image).not.toBe(before);
    expect(changed).toContainEqual({ kind: "topic", topicId: removed });
    const untouched = before.topicNamed("b")!.topicId;
    expect(changed.some((change) => "topicId" in change && change.topicId === untouched)).toBe(false);
    expect(follower.takeRemovedTopics()).toContain(removed);
    expect(follower.takeRemovedTopics()).toEqual([]);
  });

  test("that was replaced during the download is fetched anew", () => {
    const { driver, connectionId, follower } = long();
    ask(driver, connectionId, follower);
    ask(driver, connectionId, follower);
    for (const name of ["f", "g", "h"]) driver.createTopic(name, 10);
    expect(follow(driver, connectionId, follower).error).toBeUndefined();
    expect(follower.image).toEqual(driver.image);
  });

  test("a piece that does not exist is refused by name", () => {
    const { driver, connectionId } = long();
    const { endOffset, epoch } = driver.snapshot!;
    const errorOf = (snapshotId: { endOffset: number; epoch: number }, position: number) => {
      const partitions = [{ partition: 0, currentLeaderEpoch: -1, snapshotId, position }];
      const answer = driver.ask(connectionId, fetchSnapshot, 1, { topics: [{ name: METADATA_TOPIC, partitions }] });
      return errorName(answer.topics[0]!.partitions[0]!.errorCode);
    };
    expect(errorOf({ endOffset, epoch }, 0)).toBe("NONE");
    expect(errorOf({ endOffset, epoch }, -1)).toBe("POSITION_OUT_OF_RANGE");
    expect(errorOf({ endOffset, epoch }, driver.snapshot!.records.length)).toBe("POSITION_OUT_OF_RANGE");
    expect(errorOf({ endOffset: endOffset - 1, epoch }, 0)).toBe("SNAPSHOT_NOT_FOUND");
  });
});

describe("[R19] a controller is refused", () => {
  test("that belongs to another cluster", () => {
    const { driver, connectionId } = start();
    const follower = new MetadataFollower({ clusterId: "another", epoch: -1, endOffset: 0 });
    expect(ask(driver, connectionId, follower).error).toContain("another cluster than another");
    expect(follower.image.endOffset).toBe(0);
  });

  test("that says so only in its log", () => {
    const { driver, connectionId } = start();
    const follower = new MetadataFollower({ clusterId: "another", epoch: -1, endOffset: 0 });
    const result = follower.onResponse(driver.ask(connectionId, fetch, 17, metadataFetch(0)));
    expect(result.error).toContain(`cluster ${CLUSTER_ID}, not of another`);
    expect(follower.image.clusterId).toBe("");
  });

  test("whose epoch is older than one that was seen", () => {
    const { driver, connectionId } = start();
    const follower = new MetadataFollower({ clusterId: CLUSTER_ID, epoch: 9, endOffset: 3 });
    expect(ask(driver, connectionId, follower).error).toContain("epoch 1 is older than epoch 9");
  });

  test("whose log is shorter than what was seen", () => {
    const { driver, connectionId } = start();
    const follower = new MetadataFollower({ clusterId: CLUSTER_ID, epoch: 1, endOffset: 1_000_000 });
    expect(ask(driver, connectionId, follower).error).toContain("before offset 1000000");
  });

  test("that was restored from an old disk while it was followed", () => {
    const { driver, connectionId, follower } = start();
    const old = [...driver.log];
    driver.createTopic("quakes", 5);
    follow(driver, connectionId, follower);
    const before = follower.image.endOffset;
    driver.log = old;
    driver.restart();
    expect(ask(driver, driver.open(), follower).error).toContain("restored from an old disk");
    expect(follower.image.endOffset).toBe(before);
  });

  test("that was restored and has gone another way since", () => {
    const { driver, connectionId, follower } = start();
    const old = [...driver.log];
    driver.createTopic("quakes", 5);
    follow(driver, connectionId, follower);
    driver.log = old;
    driver.restart();
    driver.createTopic("other", 9);
    driver.createTopic("another", 9);
    expect(ask(driver, driver.open(), follower).error).toContain("differs from offset");
    expect(follower.image.topicsByName.has("quakes")).toBe(true);
  });

  test("no longer once a good one is back", () => {
    const { driver, connectionId, follower } = start();
    follow(driver, connectionId, follower);
    const good = driver.log;
    driver.log = [];
    driver.restart();
    expect(ask(driver, driver.open(), follower).error).toBeDefined();
    driver.log = good;
    driver.restart();
    expect(follow(driver, driver.open(), follower).error).toBeUndefined();
    expect(follower.image).toEqual(driver.image);
  });
});

describe("an answer that cannot be used", () => {
  test("changes nothing", () => {
    const { driver, connectionId, follower } = start();
    const answer = driver.ask(connectionId, fetch, 17, metadataFetch(0));
    const [partition] = answer.responses[0]!.partitions;
    const spoilt = (records: Uint8Array) => ({
      ...answer,
      responses: [{ ...answer.responses[0]!, partitions: [{ ...partition!, records }] }],
    });
    const records = partition!.records!;
    const flipped = records.slice();
    flipped[70]! ^= 1;
    for (const bad of [flipped, records.slice(0, -1), records.slice(20), new Uint8Array(40)]) {
      expect(follower.onResponse(spoilt(bad)).error).toContain("cannot be used");
      expect(follower.image.endOffset).toBe(0);
    }
    expect(follower.onResponse({ ...answer, responses: [] }).error).toContain("does not hold");
    expect(follower.onResponse(spoilt(records)).error).toBeUndefined();
  });

  test("that skips a part of the log is refused", () => {
    const { driver, connectionId, follower } = start();
    const later = driver.ask(connectionId, fetch, 17, metadataFetch(1));
    expect(follower.onResponse(later).error).toContain("follows offset 0");
  });
});
