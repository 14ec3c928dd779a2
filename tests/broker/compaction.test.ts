import { describe, expect, it } from "vitest";
import { listOffsets } from "../../src/protocol/apis/02-list-offsets.ts";
import { produce } from "../../src/protocol/apis/00-produce.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { keyed, recordsOf } from "../log/compacted-log.ts";
import type { Pair, ReadRecord } from "../log/compacted-log.ts";
import type { CoreBroker, CoreCluster, TestClient } from "./core-cluster.ts";
import { leaderOf, logKey, threeTabs, untilInSync } from "./core-requests.ts";

const TOPIC = "owners";
const DAY_MS = 24 * 60 * 60 * 1000;

describe("a compacted topic", () => {
  let cluster: CoreCluster;
  let tabs: CoreBroker[];

  const create = (configs: Record<string, string> = {}) => {
    const fixed = { "cleanup.policy": "compact", "min.insync.replicas": "1" };
    ({ cluster, tabs } = threeTabs(TOPIC, { configs: { ...fixed, ...configs } }));
  };

  const send = (pairs: readonly Pair[], client: TestClient = leaderOf(cluster, TOPIC).connect()) => {
    const { responses } = client.ask(produce, 9, {
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: TOPIC, partitionData: [{ index: 0, records: keyed(pairs, {}, 1_700_000_000_000) }] }],
    });
    const { errorCode, errorMessage } = responses[0]!.partitionResponses[0]!;
    return { error: errorName(errorCode), message: errorMessage };
  };

  /** What one fetch from `offset` on gives. */
  const fetched = (offset: number, maxBytes = 1_000_000): Uint8Array => {
    const { responses } = leaderOf(cluster, TOPIC)
      .connect()
      .ask(fetch, 12, {
        maxWaitMs: 0,
        minBytes: 1,
        topics: [{ topic: TOPIC, partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes: maxBytes }] }],
      });
    const { errorCode, records } = responses[0]!.partitions[0]!;
    expect(errorName(errorCode)).toBe("NONE");
    return records ?? new Uint8Array(0);
  };

  const texts = (records: readonly ReadRecord[]) => records.map(({ offset, key, value }) => `${offset} ${key}=${value}`);
  const consumed = (offset = 0) => texts(recordsOf(fetched(offset)).filter((record) => record.offset >= offset));

  const onDisk = ({ disk }: CoreBroker) => {
    const chunks = disk.read(logKey(cluster, TOPIC), 0, Number.POSITIVE_INFINITY);
    return texts(chunks.flatMap(({ bytes }) => recordsOf(bytes)));
  };

  const compactedTo = ({ core }: CoreBroker) => core.replica(logKey(cluster, TOPIC))!.log.compaction.compactedTo;

  it("is compacted by every replica, and read as what is left", () => {
    create();
    for (const pairs of [[["k", "1"]], [["l", "1"]], [["k", "2"]], [["m", "1"]], [["k", "3"]], [["z", ""]]] as Pair[][]) {
      send(pairs);
    }
    cluster.advance(31_000);
    expect(consumed()).toEqual(["1 l=1", "3 m=1", "4 k=3", "5 z="]);
    for (const tab of tabs) expect(onDisk(tab)).toEqual(["1 l=1", "3 m=1", "4 k=3", "5 z="]);
    expect(consumed(2)).toEqual(["3 m=1", "4 k=3", "5 z="]);
    expect(send([["k", "4"]]).error).toBe("NONE");
    leaderOf(cluster, TOPIC).kill();
    cluster.until(() => consumed(5).length === 2, "the next leader");
    expect(consumed(5)).toEqual(["5 z=", "6 k=4"]);
  });

  it("refuses records without a key, but not those with an empty one", () => {
    create();
    expect(send([["k", "1"], [null, "2"]])).toEqual({
      error: "INVALID_RECORD",
      message: "owners is compacted, so each of its records needs a key",
    });
    expect(send([["k", "1"], ["", "2"]]).error).toBe("NONE");
  });

  it("gives a consumer in a gap the next record, however little it asks for", () => {
    create();
    for (let round = 0; round < 10; round++) send([["k", String(round)]]);
    send([["z", "active"]]);
    cluster.advance(31_000);
    for (const tab of tabs) expect(onDisk(tab)).toEqual(["9 k=9", "10 z=active"]);
    for (const offset of [0, 4, 8, 9]) expect(texts(recordsOf(fetched(offset, 1)))).toEqual(["9 k=9"]);
    // From disk, where a restarted leader reads it.
    for (const tab of tabs) tab.kill();
    for (const tab of tabs) tab.start();
    untilInSync(cluster, TOPIC, 3);
    for (const offset of [0, 4, 8, 9]) expect(texts(recordsOf(fetched(offset, 1)))).toEqual(["9 k=9"]);
  });

  it("finds timestamps in what is left", () => {
    create();
    for (let round = 0; round < 5; round++) send([["k", String(round)]]);
    send([["z", "active"]]);
    cluster.advance(31_000);
    const { topics } = leaderOf(cluster, TOPIC)
      .connect()
      .ask(listOffsets, 5, { topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, timestamp: 1_600_000_000_000 }] }] });
    expect(topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, offset: 4, timestamp: 1_700_000_000_000 });
  });

  it("loses a tombstone after delete.retention.ms, and its consumers are told in between", () => {
    create({ "delete.retention.ms": "60000" });
    send([["k", "1"], ["l", "1"]]);
    send([["k", null]]);
    send([["z", "active"]]);
    cluster.advance(31_000);
    expect(consumed()).toEqual(["1 l=1", "2 k=null", "3 z=active"]);
    cluster.advance(100_000);
    for (const tab of tabs) expect(onDisk(tab)).toEqual(["1 l=1", "3 z=active"]);
    expect(consumed()).toEqual(["1 l=1", "3 z=active"]);
  });

  it("is compacted while its followers are behind, and copied by them from within a gap", () => {
    create();
    const leader = leaderOf(cluster, TOPIC);
    const [away] = tabs.filter((tab) => tab !== leader);
    for (let round = 0; round < 3; round++) send([["k", String(round)]]);
    away!.kill();
    for (let round = 3; round < 9; round++) send([["k", String(round)]]);
    send([["z", "active"]]);
    cluster.advance(35_000);
    expect(onDisk(leader)).toEqual(["8 k=8", "9 z=active"]);
    away!.start();
    untilInSync(cluster, TOPIC, 3);
    expect(onDisk(away!)).toEqual(["0 k=0", "1 k=1", "2 k=2", "8 k=8", "9 z=active"]);
    send([["z", "newer"]]);
    cluster.advance(35_000);
    expect(onDisk(away!)).toEqual(["8 k=8", "9 z=active", "10 z=newer"]);
  });

  it("[R21] is copied anew by a replica that was away when tombstones went", () => {
    create({ "delete.retention.ms": "1000", "replica.replacement.delay.ms": String(DAY_MS) });
    const leader = leaderOf(cluster, TOPIC);
    const [away] = tabs.filter((tab) => tab !== leader);
    send([["k", "deleted"], ["l", "1"]]);
    cluster.advance(100);
    away!.kill();
    send([["k", null]]);
    send([["z", "active"]]);
    cluster.advance(95_000);
    expect(onDisk(leader)).toEqual(["1 l=1", "3 z=active"]);
    expect(onDisk(away!)).toEqual(["0 k=deleted", "1 l=1"]);
    away!.start();
    untilInSync(cluster, TOPIC, 3);
    expect(onDisk(away!)).toEqual(["1 l=1", "3 z=active"]);
    expect(compactedTo(away!)).toBe(0);
  });

  it("is deleted by age as well, where its policy says so", () => {
    create({ "cleanup.policy": "compact,delete", "retention.ms": "1000" });
    // The producer's clock says 2023, the brokers' a second later.
    for (let round = 0; round < 3; round++) send([["k", String(round)]]);
    cluster.advance(31_000);
    for (const tab of tabs) expect(onDisk(tab)).toEqual([]);
    expect(send([["k", "again"]]).error).toBe("NONE");
    expect(consumed(3)).toEqual(["3 k=again"]);
  });

  it("stays whole when its leader dies in the middle of a compaction", () => {
    create();
    for (let round = 0; round < 5; round++) send([["k", String(round)]]);
    const leader = leaderOf(cluster, TOPIC);
    leader.slowDisk = true;
    cluster.advance(31_000);
    leader.kill();
    leader.slowDisk = false;
    leader.start();
    untilInSync(cluster, TOPIC, 3);
    cluster.until(() => consumed().length > 0, "the leader");
    expect(consumed().at(-1)).toBe("4 k=4");
    cluster.advance(61_000);
    for (const tab of tabs) expect(onDisk(tab)).toEqual(["3 k=3", "4 k=4"]);
  });
});
