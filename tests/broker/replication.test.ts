import { beforeEach, describe, expect, it } from "vitest";
import { partitionKey } from "../../src/log/stored-log.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { LATEST_TIMESTAMP, listOffsets } from "../../src/protocol/apis/02-list-offsets.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { CoreCluster } from "./core-cluster.ts";
import type { CoreBroker } from "./core-cluster.ts";
import {
  consumed,
  createTopic,
  deleteRecordsBefore,
  deleteTopic,
  leaderOf,
  logKey,
  produced,
  sendProduce,
  threeTabs,
  untilInSync,
} from "./core-requests.ts";

describe("a replicated partition", () => {
  let cluster: CoreCluster;
  let tabs: CoreBroker[];

  beforeEach(() => {
    ({ cluster, tabs } = threeTabs("quakes"));
  });

  const others = (leader: CoreBroker) => tabs.filter((tab) => tab !== leader);

  it("acknowledges with acks=all what is then read back", () => {
    const client = leaderOf(cluster, "quakes").connect();
    expect(produced(cluster, client, "quakes", ["one", "two"])).toEqual({ error: "NONE", baseOffset: 0 });
    expect(produced(cluster, client, "quakes", ["three"])).toEqual({ error: "NONE", baseOffset: 2 });
    expect(consumed(client, "quakes")).toMatchObject({ error: "NONE", highWatermark: 3, values: ["one", "two", "three"] });
  });

  it("holds the same bytes on every replica", () => {
    const leader = leaderOf(cluster, "quakes");
    for (let round = 0; round < 5; round++) produced(cluster, leader.connect(), "quakes", [`record ${round}`]);
    cluster.advance(100);
    const { topicId } = cluster.controller.image.topicNamed("quakes")!;
    const [first, ...rest] = tabs.map(({ disk }) =>
      disk.read(partitionKey(topicId, 0), 0, Number.POSITIVE_INFINITY).flatMap(({ bytes }) => [...bytes]),
    );
    expect(first!.length).toBeGreaterThan(300);
    for (const bytes of rest) expect(bytes).toEqual(first);
  });

  it("[R7] [R15] acknowledges nothing while the followers' disks have not stored it", () => {
    const leader = leaderOf(cluster, "quakes");
    for (const tab of others(leader)) tab.slowDisk = true;
    const outcome = sendProduce(leader.connect(), "quakes", ["pending"]);
    cluster.advance(200);
    expect(outcome()).toBeUndefined();
    expect(consumed(leader.connect(), "quakes").values).toEqual([]);
    for (const tab of others(leader)) {
      tab.slowDisk = false;
      tab.flush();
    }
    cluster.until(() => outcome() !== undefined, "the acknowledgement");
    expect(outcome()?.error).toBe("NONE");
  });

  it("[R6] acknowledges nothing, not even with acks=1, before the leader's own disk has it", () => {
    const leader = leaderOf(cluster, "quakes");
    leader.slowDisk = true;
    const [all, one] = [-1, 1].map((acks) => sendProduce(leader.connect(), "quakes", ["pending"], { acks }));
    cluster.advance(200);
    expect([all!(), one!()]).toEqual([undefined, undefined]);
    leader.slowDisk = false;
    leader.flush();
    cluster.until(() => all!() !== undefined && one!() !== undefined, "both acknowledgements");
  });

  it("elects a replica that has every acknowledged record when the leader dies", () => {
    const first = leaderOf(cluster, "quakes");
    for (let round = 0; round < 10; round++) produced(cluster, first.connect(), "quakes", [`record ${round}`]);
    first.kill();
    const second = leaderOf(cluster, "quakes");
    expect(second).not.toBe(first);
    cluster.until(() => consumed(second.connect(), "quakes").highWatermark === 10, "the high watermark");
    expect(consumed(second.connect(), "quakes").values).toEqual(Array.from({ length: 10 }, (_, at) => `record ${at}`));
    expect(produced(cluster, second.connect(), "quakes", ["after"]).baseOffset).toBe(10);
  });

  it("takes a restarted tab back as the broker it was, without copying the log anew", () => {
    const leader = leaderOf(cluster, "quakes");
    const follower = others(leader)[0]!;
    for (let round = 0; round < 10; round++) produced(cluster, leader.connect(), "quakes", ["x".repeat(1_000)]);
    cluster.advance(100);
    const { nodeId } = follower;
    follower.kill();
    untilInSync(cluster, "quakes", 2);
    produced(cluster, leader.connect(), "quakes", ["missed"]);
    follower.start();
    untilInSync(cluster, "quakes", 3);
    expect(follower.nodeId).toBe(nodeId);
    expect(follower.core.status().replicatedBytes).toBeLessThan(500);
  });

  it("[R11] takes a wiped tab for a new broker, and never elects it while it is empty", () => {
    const leader = leaderOf(cluster, "quakes");
    const { nodeId } = leader;
    for (let round = 0; round < 5; round++) produced(cluster, leader.connect(), "quakes", [`record ${round}`]);
    leader.kill();
    leader.wipe();
    leader.start();
    const second = leaderOf(cluster, "quakes");
    expect(second).not.toBe(leader);
    cluster.until(() => leader.core.state === "running", "the wiped tab running again");
    expect(leader.nodeId).not.toBe(nodeId);
    expect(consumed(second.connect(), "quakes").values).toHaveLength(5);
  });

  it("[R4] truncates what only a dead leader had", () => {
    const first = leaderOf(cluster, "quakes");
    produced(cluster, first.connect(), "quakes", ["committed"]);
    // Both followers are cut off from what comes now, though the controller still sees them.
    for (const tab of others(first)) tab.slowDisk = true;
    const lost = sendProduce(first.connect(), "quakes", ["never committed"]);
    cluster.advance(50);
    expect(lost()).toBeUndefined();
    expect(first.disk.load()[0]?.chunks.at(-1)?.lastOffset).toBe(1);
    for (const tab of others(first)) tab.kill();
    first.kill();
    for (const tab of others(first)) {
      tab.slowDisk = false;
      tab.start();
    }
    cluster.until(() => others(first).some(({ core }) => core.state === "running"), "a survivor");
    cluster.advance(500);
    first.start();
    const leader = leaderOf(cluster, "quakes");
    untilInSync(cluster, "quakes", 3);
    produced(cluster, leader.connect(), "quakes", ["after"]);
    cluster.advance(200);
    const values = consumed(leader.connect(), "quakes").values;
    const ends = tabs.map(({ disk }) => disk.load()[0]?.chunks.at(-1)?.lastOffset);
    expect(new Set(ends).size).toBe(1);
    // Whoever was elected decides about the record that was never acknowledged; all replicas agree on it.
    expect([["committed", "after"], ["committed", "never committed", "after"]]).toContainEqual(values);
  });

  describe("whose leader is frozen for longer than its session", () => {
    let frozen: CoreBroker;
    let next: CoreBroker;

    beforeEach(() => {
      frozen = leaderOf(cluster, "quakes");
      produced(cluster, frozen.connect(), "quakes", ["before"]);
      frozen.freeze();
      next = leaderOf(cluster, "quakes");
      produced(cluster, next.connect(), "quakes", ["meanwhile"]);
    });

    it("[R2] [R6] acknowledges nothing that waited in the frozen tab", () => {
      const client = frozen.connect();
      const [one, all] = [1, -1].map((acks) => sendProduce(client, "quakes", ["stale"], { acks }));
      cluster.settle();
      frozen.thaw();
      cluster.until(() => one!() !== undefined && all!() !== undefined, "two refusals");
      expect([one!()?.error, all!()?.error]).toEqual(["NOT_LEADER_OR_FOLLOWER", "NOT_LEADER_OR_FOLLOWER"]);
      cluster.advance(1_000);
      const leader = leaderOf(cluster, "quakes");
      cluster.until(() => consumed(leader.connect(), "quakes").values.length === 2, "both records");
      expect(consumed(leader.connect(), "quakes").values).toEqual(["before", "meanwhile"]);
    });

    it("registers the tab anew and brings it back into sync", () => {
      const epoch = cluster.controller.image.brokers.get(frozen.nodeId)!.brokerEpoch;
      frozen.thaw();
      untilInSync(cluster, "quakes", 3);
      expect(cluster.controller.image.brokers.get(frozen.nodeId)!.brokerEpoch).toBeGreaterThan(epoch);
    });
  });

  it("[R2] refuses fetches of other epochs", () => {
    leaderOf(cluster, "quakes").kill();
    const leader = leaderOf(cluster, "quakes");
    const { leaderEpoch } = cluster.controller.image.topicNamed("quakes")!.partitions[0]!;
    const at = (currentLeaderEpoch: number) => consumed(leader.connect(), "quakes", 0, { currentLeaderEpoch }).error;
    expect(at(leaderEpoch)).toBe("NONE");
    expect(at(leaderEpoch - 1)).toBe("FENCED_LEADER_EPOCH");
    expect(at(leaderEpoch + 1)).toBe("UNKNOWN_LEADER_EPOCH");
  });

  it("[R6] counts no fetch of somebody who only claims to be a replica", () => {
    const leader = leaderOf(cluster, "quakes");
    for (const tab of others(leader)) tab.slowDisk = true;
    const outcome = sendProduce(leader.connect(), "quakes", ["held"]);
    cluster.settle();
    for (const [replicaId, replicaEpoch] of [
      [others(leader)[0]!.nodeId, 0],
      [others(leader)[1]!.nodeId, 999_999],
      [77, 1],
    ] as const) {
      const { topicId } = cluster.controller.image.topicNamed("quakes")!;
      const { responses } = leader.connect().ask(fetch, 17, {
        replicaState: { replicaId, replicaEpoch },
        maxWaitMs: 0,
        minBytes: 0,
        topics: [{ topicId, partitions: [{ partition: 0, fetchOffset: 1, partitionMaxBytes: 1_000 }] }],
      });
      expect(errorName(responses[0]!.partitions[0]!.errorCode)).toBe("UNKNOWN_LEADER_EPOCH");
    }
    cluster.advance(100);
    expect(outcome()).toBeUndefined();
  });

  it("[R16] recognises a retry after the leader changed, and answers with the first offset", () => {
    const producer = { producerId: 4_000, producerEpoch: 0 };
    const first = leaderOf(cluster, "quakes");
    expect(produced(cluster, first.connect(), "quakes", ["once"], { ...producer, baseSequence: 0 }).baseOffset).toBe(0);
    expect(produced(cluster, first.connect(), "quakes", ["twice"], { ...producer, baseSequence: 1 }).baseOffset).toBe(1);
    first.kill();
    const second = leaderOf(cluster, "quakes");
    const retry = produced(cluster, second.connect(), "quakes", ["twice"], { ...producer, baseSequence: 1 });
    expect(retry).toEqual({ error: "NONE", baseOffset: 1 });
    const gap = produced(cluster, second.connect(), "quakes", ["skipped one"], { ...producer, baseSequence: 3 });
    expect(gap.error).toBe("OUT_OF_ORDER_SEQUENCE_NUMBER");
    expect(produced(cluster, second.connect(), "quakes", ["next"], { ...producer, baseSequence: 2 }).baseOffset).toBe(2);
  });

  it("sends consumers away who know more, when it may have been replaced, instead of telling them that they err", () => {
    const first = leaderOf(cluster, "quakes");
    const old = first.connect();
    produced(cluster, old, "quakes", ["0"]);
    const ask = (offset: number, lastFetchedEpoch: number) => consumed(old, "quakes", offset, { lastFetchedEpoch });
    expect(ask(3, -1).error).toBe("OFFSET_OUT_OF_RANGE");
    first.disconnectController();
    const leads = ({ core }: CoreBroker) => !("error" in core.leaderOf("quakes", 0));
    cluster.until(() => others(first).some(leads), "the next leader");
    const second = others(first).find(leads)!;
    for (const value of ["1", "2"]) produced(cluster, second.connect(), "quakes", [value]);
    const { leaderEpoch } = cluster.controller.image.topicNamed("quakes")!.partitions[0]!;
    expect(leads(first)).toBe(true);
    expect(ask(3, -1).error).toBe("OFFSET_NOT_AVAILABLE");
    expect(ask(3, leaderEpoch)).toMatchObject({ error: "UNKNOWN_LEADER_EPOCH", divergingEpoch: null });
    expect(ask(1, 0)).toMatchObject({ error: "NONE", values: [] });
  });

  it("[R15] refuses acks=all when too few replicas are in sync, and says so for what was appended before", () => {
    const leader = leaderOf(cluster, "quakes");
    const [one, two] = others(leader);
    one!.kill();
    untilInSync(cluster, "quakes", 2);
    two!.slowDisk = true;
    const pending = sendProduce(leader.connect(), "quakes", ["pending"]);
    cluster.settle();
    two!.kill();
    untilInSync(cluster, "quakes", 1);
    cluster.until(() => pending() !== undefined, "an answer to what was pending");
    expect(pending()?.error).toBe("NOT_ENOUGH_REPLICAS_AFTER_APPEND");
    expect(produced(cluster, leader.connect(), "quakes", ["more"]).error).toBe("NOT_ENOUGH_REPLICAS");
    expect(produced(cluster, leader.connect(), "quakes", ["less"], { acks: 1 }).error).toBe("NONE");
  });

  it("goes on without the controller", () => {
    const leader = leaderOf(cluster, "quakes");
    for (const tab of tabs) tab.disconnectController();
    cluster.advance(10_000);
    expect(produced(cluster, leader.connect(), "quakes", ["alone"]).error).toBe("NONE");
    for (const tab of tabs) tab.connectController();
    cluster.advance(2_000);
    expect(produced(cluster, leaderOf(cluster, "quakes").connect(), "quakes", ["together"]).error).toBe("NONE");
  });

  it("[R18] deletes a log when its topic is deleted, and only then", () => {
    const { topicId } = cluster.controller.image.topicNamed("quakes")!;
    for (const tab of tabs) expect(tab.disk.load()).toHaveLength(1);
    deleteTopic(cluster, "quakes");
    cluster.advance(500);
    for (const tab of tabs) expect(tab.disk.load()).toHaveLength(0);
    expect(cluster.controller.image.topics.has(topicId)).toBe(false);
  });

  it("hands leadership over before a tab that closes in good order is gone", () => {
    const leader = leaderOf(cluster, "quakes");
    leader.handle({ type: "closing" });
    cluster.until(() => !leader.running, "the end of the tab");
    const next = leaderOf(cluster, "quakes");
    expect(next).not.toBe(leader);
    expect(produced(cluster, next.connect(), "quakes", ["after"]).error).toBe("NONE");
  });
});

it("[R6] acknowledges what nobody who lags holds back any more, without another event", () => {
  const cluster = new CoreCluster();
  const tabs = cluster.startRunning("a", "b");
  createTopic(cluster, "quakes", { replicationFactor: 2, configs: { "min.insync.replicas": "1" } });
  untilInSync(cluster, "quakes", 2);
  const leader = leaderOf(cluster, "quakes");
  const client = leader.connect();
  for (const value of ["0", "1", "2"]) produced(cluster, client, "quakes", [value]);
  const late = tabs.find((tab) => tab !== leader)!;
  late.kill();
  cluster.advance(50);
  deleteRecordsBefore(client, "quakes", 2);
  // It holds every record, and so is about to join, but its disk does not get rid of the old ones.
  late.slowDisk = true;
  late.start();
  cluster.until(() => late.core.state === "running", "the broker that was away");
  cluster.advance(100);
  const outcome = sendProduce(client, "quakes", ["3"], { timeoutMs: 60_000 });
  cluster.advance(100);
  expect(outcome()).toBeUndefined();
  cluster.advance(leader.core.config.replicaLagTimeMaxMs + 2_000);
  expect(outcome()).toEqual({ error: "NONE", baseOffset: 3 });
});

describe("a tab that is reloaded", () => {
  let cluster: CoreCluster;
  let leader: CoreBroker;
  let others: readonly CoreBroker[];

  beforeEach(() => {
    const started = threeTabs("quakes");
    cluster = started.cluster;
    leader = leaderOf(cluster, "quakes");
    others = started.tabs.filter((tab) => tab !== leader);
    produced(cluster, leader.connect(), "quakes", ["one", "two"]);
  });

  const storedHighWatermark = ({ disk }: CoreBroker) => {
    const key = logKey(cluster, "quakes");
    const stored = [...disk.load()].find(({ metadata }) => partitionKey(metadata.topicId, metadata.partitionIndex) === key);
    return stored?.metadata.highWatermark;
  };

  it("[R5] [R14] while it alone is in sync shows what was committed before the others closed", () => {
    for (const tab of others) tab.kill();
    untilInSync(cluster, "quakes", 1);
    cluster.advance(100);
    leader.kill();
    leader.start();
    expect(leaderOf(cluster, "quakes")).toBe(leader);
    const client = leader.connect();
    expect(consumed(client, "quakes")).toMatchObject({ error: "NONE", highWatermark: 2, values: ["one", "two"] });
    const asked = { topics: [{ name: "quakes", partitions: [{ partitionIndex: 0, timestamp: LATEST_TIMESTAMP }] }] };
    expect(client.ask(listOffsets, 8, asked).topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, offset: 2 });
  });

  it("[R5] [R14] shows no more than what was committed", () => {
    for (const tab of others) tab.kill();
    untilInSync(cluster, "quakes", 1);
    produced(cluster, leader.connect(), "quakes", ["alone"], { acks: 1 });
    leader.kill();
    leader.start();
    expect(consumed(leaderOf(cluster, "quakes").connect(), "quakes").values).toEqual(["one", "two"]);
    others[0]!.start();
    untilInSync(cluster, "quakes", 2);
    expect(consumed(leaderOf(cluster, "quakes").connect(), "quakes").values).toEqual(["one", "two", "alone"]);
  });

  it.each(["with", "without"])("[R5] has stored how far its log was committed when it closed, %s the controller", (how) => {
    if (how === "without") leader.disconnectController();
    leader.slowDisk = true;
    leader.handle({ type: "closing" });
    cluster.advance(100);
    expect(leader.running).toBe(true);
    leader.flush();
    cluster.until(() => !leader.running, "the end of the tab");
    expect(storedHighWatermark(leader)).toBe(2);
  });

  it("[R5] has stored how far its log was committed half a minute ago, with one write, and none while it is idle", () => {
    const { retentionCheckIntervalMs } = leader.core.config;
    cluster.advance(retentionCheckIntervalMs);
    expect([leader, ...others].map(storedHighWatermark)).toEqual([2, 2, 2]);
    const counts = () => [leader, ...others].map(({ writes }) => writes.length);
    const before = counts();
    cluster.advance(2 * retentionCheckIntervalMs);
    expect(counts()).toEqual(before);
    for (let round = 0; round < 20; round++) produced(cluster, leader.connect(), "quakes", ["more"]);
    cluster.advance(retentionCheckIntervalMs);
    expect(counts()).toEqual(before.map((count) => count + 21));
    expect([leader, ...others].map(storedHighWatermark)).toEqual([22, 22, 22]);
  });
});

it("[R18] a leader drops what is too old as soon as it leads: where its disk is full, nothing else would fit", () => {
  const cluster = new CoreCluster();
  const [tab] = cluster.startRunning("alone");
  createTopic(cluster, "quakes", { replicationFactor: 1 });
  for (const value of ["one", "two"]) produced(cluster, leaderOf(cluster, "quakes").connect(), "quakes", [value]);
  cluster.advance(2 * tab!.core.config.retentionCheckIntervalMs);
  tab!.kill();
  for (const clock of [cluster, tab!]) clock.wallOffsetMs += 8 * 24 * 3600 * 1000;
  tab!.start();
  cluster.until(() => tab!.core.status().partitions.some(({ role }) => role === "leader"), "a leader");
  cluster.settle();
  expect(tab!.core.status().partitions.map(({ logStartOffset }) => logStartOffset)).toEqual([2]);
});

describe("a leader whose machine slept", () => {
  it("[R16] recognises a retry however long that was", () => {
    const { cluster, tabs } = threeTabs("quakes");
    const once = () => {
      const init = { producerId: 4_000, producerEpoch: 0, baseSequence: 0 };
      return produced(cluster, leaderOf(cluster, "quakes").connect(), "quakes", ["once"], init);
    };
    expect(once().baseOffset).toBe(0);
    for (const clock of [cluster, ...tabs]) clock.wallOffsetMs += 30 * 24 * 3600 * 1000;
    cluster.advance(2 * tabs[0]!.core.config.retentionCheckIntervalMs);
    untilInSync(cluster, "quakes", 3);
    expect(once()).toEqual({ error: "NONE", baseOffset: 0 });
  });

  it("acknowledges nothing before it is registered anew, though its monotonic clock stood still", () => {
    const { cluster } = threeTabs("quakes");
    const leader = leaderOf(cluster, "quakes");
    const outcome = sendProduce(leader.connect(), "quakes", ["late"], { acks: 1 });
    leader.wallOffsetMs += 60_000;
    cluster.settle();
    expect(outcome()?.error).toBe("NOT_LEADER_OR_FOLLOWER");
    expect(cluster.log.some((line) => line.includes("did not run for 60000 ms"))).toBe(true);
    cluster.until(() => leader.core.state === "running", "the tab running again");
    untilInSync(cluster, "quakes", 3);
  });
});

describe("a leader whose disk is slower than the others", () => {
  it("[R6] lets followers store a record first, and acknowledges it only when its own disk has it too", () => {
    const { cluster, tabs } = threeTabs("quakes");
    const leader = leaderOf(cluster, "quakes");
    leader.slowDisk = true;
    const outcome = sendProduce(leader.connect(), "quakes", ["ahead"]);
    cluster.advance(50);
    const ends = tabs.map(({ disk }) => disk.load()[0]!.chunks.length);
    expect(ends.toSorted()).toEqual([0, 1, 1]);
    expect(outcome()).toBeUndefined();
    expect(consumed(leader.connect(), "quakes").values).toEqual([]);
    leader.slowDisk = false;
    leader.flush();
    cluster.until(() => outcome() !== undefined, "the acknowledgement");
    expect(outcome()?.error).toBe("NONE");
  });

  it("[R4] loses nothing acknowledged when it dies before its disk caught up", () => {
    const { cluster, tabs } = threeTabs("quakes");
    const leader = leaderOf(cluster, "quakes");
    produced(cluster, leader.connect(), "quakes", ["kept"]);
    leader.slowDisk = true;
    sendProduce(leader.connect(), "quakes", ["only on followers"]);
    cluster.advance(50);
    leader.kill();
    leader.slowDisk = false;
    leader.start();
    untilInSync(cluster, "quakes", 3);
    const next = leaderOf(cluster, "quakes");
    produced(cluster, next.connect(), "quakes", ["after"]);
    cluster.advance(100);
    expect(consumed(next.connect(), "quakes").values).toEqual(["kept", "only on followers", "after"]);
    expect(new Set(tabs.map(({ disk }) => disk.load()[0]!.chunks.at(-1)!.lastOffset)).size).toBe(1);
  });
});
