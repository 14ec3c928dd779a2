import { beforeEach, describe, expect, it } from "vitest";
import { MAX_PRODUCERS } from "../../src/log/producer-state.ts";
import { partitionKey } from "../../src/log/stored-log.ts";
import { EARLIEST_TIMESTAMP, listOffsets } from "../../src/protocol/apis/02-list-offsets.ts";
import { deleteRecords } from "../../src/protocol/apis/21-delete-records.ts";
import type { DeleteRecordsResponse } from "../../src/protocol/apis/21-delete-records.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { CoreCluster } from "./core-cluster.ts";
import type { CoreBroker, TestClient } from "./core-cluster.ts";
import { consumed, createTopic, deleteTopic, leaderOf, logKey, produced, threeTabs, untilInSync } from "./core-requests.ts";

const TOPIC = "quakes";

describe("DeleteRecords", () => {
  let cluster: CoreCluster;
  let tabs: CoreBroker[];

  beforeEach(() => {
    ({ cluster, tabs } = threeTabs(TOPIC));
    for (const value of ["0", "1", "2", "3", "4"]) produced(cluster, leader().connect(), TOPIC, [value]);
    cluster.advance(50);
  });

  const leader = () => leaderOf(cluster, TOPIC);
  const followers = () => tabs.filter((tab) => tab !== leader());

  const send = (client: TestClient, offset: number, { topic = TOPIC, partition = 0, timeoutMs = 30_000 } = {}) => {
    const answer = client.send(deleteRecords, 2, {
      topics: [{ name: topic, partitions: [{ partitionIndex: partition, offset }] }],
      timeoutMs,
    });
    return () => resultOf(answer());
  };

  const deleted = (offset: number, more: Parameters<typeof send>[2] = {}, client = leader().connect()) => {
    const result = send(client, offset, more);
    cluster.until(() => result() !== undefined, "an answer");
    return result()!;
  };

  const resultOf = (response: DeleteRecordsResponse | undefined) => {
    const partition = response?.topics[0]?.partitions[0];
    return partition && { error: errorName(partition.errorCode), lowWatermark: partition.lowWatermark };
  };

  const earliest = () => {
    const { topics } = leader().connect().ask(listOffsets, 7, {
      topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, timestamp: EARLIEST_TIMESTAMP }] }],
    });
    return topics[0]!.partitions[0]!.offset;
  };

  /** Where the logs on the disks start, as a restart would find them. */
  const startsOnDisk = () => {
    const key = logKey(cluster, TOPIC);
    return tabs.map(({ disk }) => {
      const { metadata } = disk.load().find((log) => partitionKey(log.metadata.topicId, 0) === key)!;
      return metadata.logStartOffset;
    });
  };

  it("[R18] a follower that was away drops them before it stores what is new: its disk may be full", () => {
    const [late] = followers();
    late!.kill();
    for (const value of ["5", "6"]) produced(cluster, leader().connect(), TOPIC, [value]);
    cluster.until(() => deleted(3).error === "NONE", "the deletion");
    const before = late!.writes.length;
    const kinds = () => late!.writes.slice(before).flatMap(({ operations }) => operations.map(({ type }) => type));
    late!.slowDisk = true;
    late!.start();
    cluster.until(() => kinds().includes("delete-chunks"), "the deletion at the follower");
    cluster.advance(500);
    expect(kinds()).not.toContain("append");
    late!.slowDisk = false;
    late!.flush();
    untilInSync(cluster, TOPIC, 3);
    expect(kinds()).toContain("append");
    expect(startsOnDisk()).toEqual([3, 3, 3]);
  });

  it("[R16] a copy that starts anew behind what is deleted knows its producers, whatever its clock says", () => {
    const producer = { producerId: 4_000, producerEpoch: 0 };
    const write = (value: string, baseSequence: number) =>
      produced(cluster, leader().connect(), TOPIC, [value], { ...producer, baseSequence });
    const [late] = followers();
    late!.kill();
    write("6", 0);
    write("7", 1);
    cluster.until(() => deleted(7).error === "NONE", "the deletion");
    late!.wallOffsetMs += 48 * 3600 * 1000;
    late!.start();
    untilInSync(cluster, TOPIC, 3);
    cluster.advance(2 * late!.core.config.retentionCheckIntervalMs);
    expect(cluster.log.some((line) => line.includes(`${late!.name}: ${TOPIC}-0 starts anew at offset 7`))).toBe(true);
    while (leader() !== late) leader().kill();
    // What was sent before it was lost on the way, and is sent again.
    expect(write("9", 3).error).toBe("OUT_OF_ORDER_SEQUENCE_NUMBER");
    expect(write("7", 1)).toMatchObject({ error: "NONE", baseOffset: 6 });
  });

  it("[R18] deletes below the offset, on the disk of every replica before it answers", () => {
    expect(deleted(3)).toEqual({ error: "NONE", lowWatermark: 3 });
    expect(startsOnDisk()).toEqual([3, 3, 3]);
    expect(earliest()).toBe(3);
    expect(consumed(leader().connect(), TOPIC, 3).values).toEqual(["3", "4"]);
    expect(consumed(leader().connect(), TOPIC, 2).error).toBe("OFFSET_OUT_OF_RANGE");
  });

  it("takes -1 for all that is committed, and goes on from there", () => {
    expect(deleted(-1)).toEqual({ error: "NONE", lowWatermark: 5 });
    expect(produced(cluster, leader().connect(), TOPIC, ["5"])).toEqual({ error: "NONE", baseOffset: 5 });
    expect(consumed(leader().connect(), TOPIC, 5).values).toEqual(["5"]);
  });

  it("starts a log within a batch", () => {
    produced(cluster, leader().connect(), TOPIC, ["5", "6", "7"]);
    expect(deleted(6)).toEqual({ error: "NONE", lowWatermark: 6 });
    expect(earliest()).toBe(6);
    // The batch is whole; the reader passes over what lies before.
    expect(consumed(leader().connect(), TOPIC, 6).values).toEqual(["5", "6", "7"]);
  });

  it("answers with what is deleted already when asked for less", () => {
    deleted(3);
    expect(deleted(1)).toEqual({ error: "NONE", lowWatermark: 3 });
    expect(deleted(3)).toEqual({ error: "NONE", lowWatermark: 3 });
  });

  it("survives the end of all tabs, and the end of the leader", () => {
    deleted(3);
    for (const tab of tabs) tab.kill();
    cluster.advance(5_000);
    for (const tab of tabs) tab.start();
    cluster.until(() => tabs.every(({ core }) => core.state === "running"), "three running brokers");
    expect(earliest()).toBe(3);
    untilInSync(cluster, TOPIC, 3);
    leader().kill();
    tabs = tabs.filter(({ running }) => running);
    expect(earliest()).toBe(3);
    expect(consumed(leader().connect(), TOPIC, 3).values).toEqual(["3", "4"]);
  });

  it("does not answer before the leader's own disk has it", () => {
    const first = leader();
    first.slowDisk = true;
    const result = send(first.connect(), 3);
    const again = send(first.connect(), 3);
    cluster.advance(300);
    // The followers have deleted already; that is no promise yet.
    expect([result(), again()]).toEqual([undefined, undefined]);
    first.slowDisk = false;
    first.flush();
    cluster.until(() => result() !== undefined && again() !== undefined, "the answers");
    expect(result()).toEqual({ error: "NONE", lowWatermark: 3 });
  });

  it("does not answer before the replicas in sync have it, and waits for no other", () => {
    const [slow, quick] = followers() as [CoreBroker, CoreBroker];
    slow.slowDisk = true;
    const result = send(leader().connect(), 3);
    cluster.advance(300);
    expect(result()).toBeUndefined();
    slow.kill();
    cluster.until(() => result() !== undefined, "the answer");
    expect(result()).toEqual({ error: "NONE", lowWatermark: 3 });
    expect(startsOnDisk()[tabs.indexOf(quick)]).toBe(3);
    expect(startsOnDisk()[tabs.indexOf(slow)]).toBe(0);
  });

  it("times out while a replica in sync does not follow", () => {
    followers()[0]!.slowDisk = true;
    const result = send(leader().connect(), 3, { timeoutMs: 200 });
    cluster.advance(250);
    expect(result()).toEqual({ error: "REQUEST_TIMED_OUT", lowWatermark: -1 });
  });

  it("[R8] lets nobody join the ISR who would bring back what was deleted", () => {
    const away = followers()[0]!;
    away.kill();
    untilInSync(cluster, TOPIC, 2);
    expect(deleted(3)).toEqual({ error: "NONE", lowWatermark: 3 });
    // It holds every record, and so could join at once; but its disk does not get rid of the old ones.
    away.slowDisk = true;
    away.start();
    cluster.until(() => away.core.state === "running", "the broker that was away");
    cluster.advance(2_000);
    expect(cluster.controller.image.topicNamed(TOPIC)!.partitions[0]!.isr).toHaveLength(2);
    away.slowDisk = false;
    away.flush();
    untilInSync(cluster, TOPIC, 3);
    expect(startsOnDisk()).toEqual([3, 3, 3]);
  });

  it("[R18] leaves nothing behind of a topic that is deleted while a follower stores what was fetched", () => {
    const away = followers()[0]!;
    away.kill();
    untilInSync(cluster, TOPIC, 2);
    produced(cluster, leader().connect(), TOPIC, ["5"]);
    deleted(3);
    // One answer brings it the record and where the log starts by now.
    away.slowDisk = true;
    away.start();
    cluster.until(() => away.core.status().partitions.some(({ role }) => role === "follower"), "the follower");
    cluster.advance(1_000);
    deleteTopic(cluster, TOPIC);
    cluster.advance(100);
    away.slowDisk = false;
    away.flush();
    cluster.settle();
    expect(away.disk.load()).toEqual([]);
    away.kill();
    away.start();
    cluster.until(() => away.core.state === "running", "the follower running again");
  });

  it("tells that another one leads by now", () => {
    const first = leader();
    for (const tab of followers()) tab.slowDisk = true;
    const result = send(first.connect(), 3, { timeoutMs: 60_000 });
    cluster.advance(100);
    first.disconnectController();
    cluster.advance(100);
    first.connectController();
    cluster.until(() => result() !== undefined, "an answer");
    expect(result()).toEqual({ error: "NOT_LEADER_OR_FOLLOWER", lowWatermark: -1 });
  });

  it("refuses what it may not delete", () => {
    expect(deleted(6)).toEqual({ error: "OFFSET_OUT_OF_RANGE", lowWatermark: -1 });
    expect(deleted(-2)).toEqual({ error: "OFFSET_OUT_OF_RANGE", lowWatermark: -1 });
    expect(deleted(1, { topic: "no such topic" }).error).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    expect(deleted(1, { partition: 9 }).error).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    expect(deleted(1, {}, followers()[0]!.connect()).error).toBe("NOT_LEADER_OR_FOLLOWER");
    expect(deleted(1, { topic: "__consumer_offsets" }).error).toBe("INVALID_TOPIC_EXCEPTION");
    createTopic(cluster, "owners", { configs: { "cleanup.policy": "compact" } });
    expect(deleted(0, { topic: "owners" }, leaderOf(cluster, "owners").connect()).error).toBe("POLICY_VIOLATION");
    createTopic(cluster, "both", { configs: { "cleanup.policy": "compact,delete" } });
    expect(deleted(0, { topic: "both" }, leaderOf(cluster, "both").connect()).error).toBe("NONE");
    expect(startsOnDisk()).toEqual([0, 0, 0]);
  });

  it("refuses a partition that is named twice, the second time", () => {
    const partitions = [{ partitionIndex: 0, offset: 2 }, { partitionIndex: 0, offset: 3 }];
    const twice = { topics: [{ name: TOPIC, partitions }], timeoutMs: 1_000 };
    const answer = leader().connect().ask(deleteRecords, 0, twice);
    const [first, second] = answer.topics[0]!.partitions;
    expect([errorName(first!.errorCode), errorName(second!.errorCode)]).toEqual(["NONE", "INVALID_REQUEST"]);
    expect(earliest()).toBe(2);
  });

  it("answers an empty request", () => {
    expect(leader().connect().ask(deleteRecords, 1, { topics: [], timeoutMs: 0 }).topics).toEqual([]);
  });
});

describe("copies that start anew behind deleted records", () => {
  it("[R16] are told of all producers, however many those of all partitions are together", () => {
    const cluster = new CoreCluster();
    const [original] = cluster.startRunning("a") as [CoreBroker];
    createTopic(cluster, TOPIC, { partitions: 16, replicationFactor: 2 });
    cluster.advance(50);
    original.kill();
    const producers = Array.from({ length: MAX_PRODUCERS }, (_, producerId) => ({
      producerId,
      producerEpoch: 0,
      batches: Array.from({ length: 5 }, (_batch, at) => ({ firstSequence: at, lastSequence: at, offset: at })),
      lastTimestamp: 1_700_000_000_000,
    }));
    original.disk = original.disk.apply(
      original.disk.load().map(({ metadata }) => ({
        type: "put-metadata",
        key: partitionKey(metadata.topicId, metadata.partitionIndex),
        metadata: { ...metadata, logStartOffset: 5, highWatermark: 5, producerSnapshot: { offset: 5, producers } },
      })),
    );
    original.start();
    const [copy] = cluster.startRunning("b") as [CoreBroker];
    cluster.advance(700);
    expect(cluster.log.filter((line) => line.includes("cannot be read"))).toEqual([]);
    for (let index = 0; index < 16; index++) untilInSync(cluster, TOPIC, 2, index);
    for (const { log } of copy.core.replicas()) expect(log.producers()).toHaveLength(MAX_PRODUCERS);
  });
});
