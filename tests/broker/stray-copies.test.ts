import { beforeEach, describe, expect, it, test, vi } from "vitest";
import { isHeldByOthers, StrayCopies } from "../../src/broker/stray-copies.ts";
import type { Replica } from "../../src/broker/replica.ts";
import { NO_LEADER } from "../../src/metadata/partition.ts";
import type { Partition } from "../../src/metadata/partition.ts";
import { alterPartitionReassignments } from "../../src/protocol/apis/45-alter-partition-reassignments.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import type { CoreBroker, CoreCluster } from "./core-cluster.ts";
import { consumed, leaderOf, logKey, produced, sendProduce, threeTabs, untilInSync } from "./core-requests.ts";

const TOPIC = "quakes";
const WHILE_MS = 20_000;
/** The copy goes with the first look at retention after the while. */
const LOOK_MS = 1_000;
const VALUES = Array.from({ length: 10 }, (_, at) => `record ${at}`);

describe("a copy of a partition that was moved to other tabs", () => {
  let cluster: CoreCluster;
  let tabs: CoreBroker[];
  /** Is in the ISR at first, and is to have no part in the partition later. */
  let moved: CoreBroker;
  let fourth: CoreBroker;

  beforeEach(() => {
    ({ cluster, tabs } = threeTabs(TOPIC));
    const leader = leaderOf(cluster, TOPIC);
    [fourth] = cluster.startRunning("d") as [CoreBroker];
    moved = tabs.find((tab) => tab !== leader)!;
    moved.kill();
    moved.config = { strayCopyRetentionMs: WHILE_MS, retentionCheckIntervalMs: LOOK_MS };
    moved.start();
    untilInSync(cluster, TOPIC, 3);
    for (const value of VALUES) produced(cluster, leader.connect(), TOPIC, [value]);
    cluster.advance(200);
  });

  const partition = () => cluster.controller.image.topicNamed(TOPIC)!.partitions[0]!;
  const isStored = (tab = moved) => tab.disk.keys.includes(logKey(cluster, TOPIC));
  const endOn = (tab: CoreBroker) => tab.disk.endOffset(logKey(cluster, TOPIC));
  const all = () => [...tabs, fourth];

  function reassign(to: readonly CoreBroker[]): void {
    const replicas = to.map(({ nodeId }) => nodeId);
    const { responses } = fourth.connect().ask(alterPartitionReassignments, 0, {
      topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, replicas }] }],
    });
    expect(errorName(responses[0]!.partitions[0]!.errorCode)).toBe("NONE");
  }

  function moveAway(): void {
    reassign(all().filter((tab) => tab !== moved));
    cluster.until(() => !partition().replicas.includes(moved.nodeId), "the move");
    cluster.advance(100);
  }

  it("[R18] is deleted after a while, and made anew with every record when it is moved back", () => {
    moveAway();
    cluster.advance(WHILE_MS - LOOK_MS);
    expect(isStored()).toBe(true);
    cluster.advance(3 * LOOK_MS);
    expect(isStored()).toBe(false);
    expect(moved.core.replica(logKey(cluster, TOPIC))).toBeUndefined();
    expect(consumed(leaderOf(cluster, TOPIC).connect(), TOPIC).values).toEqual(VALUES);
    reassign(tabs);
    const isBack = () => !partition().replicas.includes(fourth.nodeId) && partition().isr.includes(moved.nodeId);
    cluster.until(isBack, "the move");
    expect(endOn(moved)).toBe(VALUES.length);
    for (const tab of tabs) if (tab !== moved) tab.kill();
    cluster.until(() => partition().leader === moved.nodeId, "the election of the tab that holds it anew");
    expect(consumed(leaderOf(cluster, TOPIC).connect(), TOPIC).highWatermark).toBeLessThanOrEqual(VALUES.length);
    expect(endOn(moved)).toBe(VALUES.length);
  });

  it("[R18] that is deleted while it is given back promises nothing of what it held", () => {
    moveAway();
    moved.slowDisk = true;
    const isGone = () => moved.core.replica(logKey(cluster, TOPIC)) === undefined;
    cluster.until(isGone, "the deletion", WHILE_MS + 2 * LOOK_MS);
    reassign(tabs);
    cluster.advance(2_000);
    expect([isStored(), endOn(moved)]).toEqual([true, VALUES.length]);
    expect([...partition().isr, ...partition().eligibleLeaderReplicas]).not.toContain(moved.nodeId);
    moved.slowDisk = false;
    moved.flush();
    cluster.until(() => partition().isr.includes(moved.nodeId), "the tab in sync");
    expect(endOn(moved)).toBe(VALUES.length);
  });

  it("goes on from what it holds when it is moved back in time", () => {
    moveAway();
    cluster.advance(WHILE_MS / 2);
    const { replicatedBytes } = moved.core.status();
    reassign(tabs);
    cluster.until(() => partition().isr.includes(moved.nodeId), "the tab in sync");
    expect(moved.core.status().replicatedBytes).toBe(replicatedBytes);
    cluster.advance(2 * WHILE_MS);
    expect(endOn(moved)).toBe(VALUES.length);
  });

  it("[R18] stays while one of the others is not in sync, and for the while from then on", () => {
    moveAway();
    const lagging = all().find((tab) => tab !== moved && tab.nodeId !== partition().leader)!;
    lagging.kill();
    cluster.advance(2 * WHILE_MS);
    expect(partition().isr).toHaveLength(2);
    expect(isStored()).toBe(true);
    lagging.start();
    untilInSync(cluster, TOPIC, 3);
    cluster.advance(WHILE_MS - LOOK_MS);
    expect(isStored()).toBe(true);
    cluster.advance(3 * LOOK_MS);
    expect(isStored()).toBe(false);
  });

  it("[R18] stays while the controller cannot be reached, and for the while from then on", () => {
    moveAway();
    moved.disconnectController();
    cluster.advance(3 * WHILE_MS);
    expect(isStored()).toBe(true);
    moved.connectController();
    cluster.advance(WHILE_MS - LOOK_MS);
    expect(isStored()).toBe(true);
    cluster.advance(4 * LOOK_MS);
    expect(isStored()).toBe(false);
  });

  it("[R18] stays while the controller says nothing, though the connection is open", () => {
    moveAway();
    const handle = moved.handle.bind(moved);
    vi.spyOn(moved, "handle").mockImplementation((event) => {
      if (event.type !== "controller-frame") handle(event);
    });
    cluster.advance(3 * WHILE_MS);
    expect(moved.core.state).toBe("running");
    expect(isStored()).toBe(true);
  });

  const freeze = () => {
    moved.freeze();
    cluster.advance(WHILE_MS);
    moved.thaw();
  };
  const sleep = () => {
    moved.wallOffsetMs += WHILE_MS;
    moved.handle({ type: "woken" });
  };
  const hearNonsense = () => moved.handle({ type: "controller-frame", frame: new Uint8Array(8) });

  it.each([
    ["the tab was frozen", freeze],
    ["the machine slept, and the tab's clock stood", sleep],
    ["the server sent what cannot be read", hearNonsense],
  ])("[R18] stays for another while after %s", (_, happen) => {
    moveAway();
    cluster.advance(WHILE_MS - 2 * LOOK_MS);
    happen();
    cluster.until(() => moved.core.state === "running", "the tab running again");
    cluster.advance(WHILE_MS - LOOK_MS);
    expect(isStored()).toBe(true);
    cluster.advance(12 * LOOK_MS);
    expect(isStored()).toBe(false);
  });

  it("[R18] is not taken for one that is still being moved", () => {
    fourth.slowDisk = true;
    reassign(all().filter((tab) => tab !== moved));
    cluster.advance(3 * WHILE_MS);
    expect(partition().removingReplicas).toEqual([moved.nodeId]);
    expect(endOn(moved)).toBe(VALUES.length);
  });

  it("[R18] stays until what was on its way to the disk has arrived", () => {
    moved.slowDisk = true;
    sendProduce(leaderOf(cluster, TOPIC).connect(), TOPIC, ["late"]);
    cluster.until(() => moved.core.replica(logKey(cluster, TOPIC))!.writesInFlight > 0, "the append");
    moveAway();
    cluster.advance(2 * WHILE_MS);
    expect(moved.core.replica(logKey(cluster, TOPIC))).toBeDefined();
    moved.slowDisk = false;
    moved.flush();
    cluster.advance(2 * LOOK_MS);
    expect(isStored()).toBe(false);
    expect(moved.core.state).toBe("running");
  });
});

describe("what the metadata shows of a partition", () => {
  const settled: Partition = {
    topicId: "11111111-2222-3333-4444-555555555555",
    partitionIndex: 0,
    replicas: [1, 2, 3],
    addingReplicas: [],
    removingReplicas: [],
    reassignedFrom: [],
    replicationFactor: 0,
    isr: [3, 1, 2],
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    leader: 2,
    leaderEpoch: 7,
    partitionEpoch: 20,
  };

  test.each<[string, Partial<Partition>, boolean]>([
    ["all of its replicas in sync", {}, true],
    ["a single replica, which leads", { replicas: [2], isr: [2] }, true],
    ["a replica that is not in sync", { isr: [1, 2] }, false],
    ["a replica that is still being added", { replicas: [1, 2, 3, 5], addingReplicas: [5] }, false],
    ["a copy that was complete when there were too few", { eligibleLeaderReplicas: [4] }, false],
    ["nobody who leads", { replicas: [2], isr: [2], leader: NO_LEADER }, false],
    ["the node among the replicas", { replicas: [1, 2, 4], isr: [1, 2, 4] }, false],
    ["the node on its way out", { replicas: [1, 2, 4], isr: [1, 2, 4], removingReplicas: [4] }, false],
  ])("[R18] with %s", (_, change, expected) => {
    expect(isHeldByOthers({ ...settled, ...change }, 4)).toBe(expected);
  });
});

test("[R18] the while is counted from when all of it holds, without a break", () => {
  const replica = {} as Replica;
  const strays = new StrayCopies(100);
  const at = (nowMs: number, isInformed = true) => {
    strays.informed(isInformed, nowMs);
    return strays.mayGo(replica, nowMs);
  };
  expect(at(0)).toBe(false);
  strays.shown(replica, true, 10);
  expect([at(109), at(110)]).toEqual([false, true]);
  expect([at(120, false), at(121), at(220), at(221)]).toEqual([false, false, false, true]);
  strays.shown(replica, true, 230);
  expect(at(230)).toBe(true);
  strays.shown(replica, false, 240);
  expect(at(1_000)).toBe(false);
  strays.shown(replica, true, 1_000);
  expect([at(1_099), at(1_100)]).toEqual([false, true]);
});
