import { beforeEach, describe, expect, it } from "vitest";
import { defaultBrokerConfig } from "../../src/broker/broker-config.ts";
import { CHUNK_BYTES } from "../../src/log/chunk-building.ts";
import type { CoreBroker, CoreCluster } from "./core-cluster.ts";
import { alterTopic, consumed, leaderOf, logKey, produced, threeTabs, untilInSync } from "./core-requests.ts";

const TOPIC = "readings";
const { joining, retentionCheckIntervalMs } = defaultBrokerConfig;
/** Of a record of which twenty make a chunk that is worth it. */
const RECORD_BYTES = Math.floor(CHUNK_BYTES / joining.minChunks / 20);

describe("a trickle of records", () => {
  let cluster: CoreCluster;
  let tabs: CoreBroker[];

  beforeEach(() => void ({ cluster, tabs } = threeTabs(TOPIC)));

  const chunksOf = ({ disk }: CoreBroker) => disk.read(logKey(cluster, TOPIC), 0, Number.POSITIVE_INFINITY);
  const countsOfChunks = () => tabs.map((tab) => chunksOf(tab).length);
  const bytesOf = (tab: CoreBroker) => Buffer.concat(chunksOf(tab).map(({ bytes }) => bytes)).toString("latin1");
  const values = () => consumed(leaderOf(cluster, TOPIC).connect(), TOPIC).values;

  /** Each record is a commit, and so a chunk, of its own. */
  function trickle(count: number): void {
    const client = leaderOf(cluster, TOPIC).connect();
    for (let at = 0; at < count; at++) produced(cluster, client, TOPIC, [String(at).padEnd(RECORD_BYTES, ".")]);
    untilStored();
  }

  const untilStored = () => {
    const ends = () => new Set(tabs.map(({ core }) => core.replica(logKey(cluster, TOPIC))!.log.highWatermark));
    cluster.until(() => ends().size === 1, "all that is committed on every replica");
  };

  const nextLook = () => cluster.advance(retentionCheckIntervalMs + 100);

  it("lies in few chunks on every replica, and is read as before, also after a restart", () => {
    trickle(50);
    expect(countsOfChunks()).toEqual([50, 50, 50]);
    const before = { bytes: bytesOf(tabs[0]!), values: values() };
    nextLook();
    for (const count of countsOfChunks()) expect(count).toBeLessThan(20);
    for (const tab of tabs) expect(bytesOf(tab)).toBe(before.bytes);
    expect(values()).toEqual(before.values);
    for (const tab of tabs) tab.kill();
    for (const tab of tabs) tab.start();
    untilInSync(cluster, TOPIC, 3);
    expect(values()).toEqual(before.values);
    trickle(20);
    nextLook();
    for (const count of countsOfChunks()) expect(count).toBeLessThan(20);
    expect(values()).toHaveLength(70);
  });

  it.each(["strict", "relaxed"])("is joined with the durability of its topic, here %s", (durability) => {
    alterTopic(cluster, TOPIC, "durability", durability);
    trickle(50);
    nextLook();
    const joined = tabs.flatMap(({ writes }) =>
      writes.filter(({ operations }) => operations.some(({ type }) => type === "replace-chunks")),
    );
    expect(joined.length).toBeGreaterThan(2);
    expect(new Set(joined.map((write) => write.durability))).toEqual(new Set([durability]));
  });

  it("is joined where it waits to be compacted, too", () => {
    trickle(50);
    alterTopic(cluster, TOPIC, "min.compaction.lag.ms", "1000000000000");
    alterTopic(cluster, TOPIC, "cleanup.policy", "compact");
    nextLook();
    for (const count of countsOfChunks()) expect(count).toBeLessThan(20);
    expect(values()).toHaveLength(50);
  });

  it("is joined with what is about as old, so that none of it is deleted much later than it is due", () => {
    alterTopic(cluster, TOPIC, "retention.ms", "10000000");
    alterTopic(cluster, TOPIC, "message.timestamp.type", "LogAppendTime");
    for (let round = 0; round < 5; round++) {
      trickle(10);
      cluster.advance(101_000);
    }
    expect(countsOfChunks()).toEqual([50, 50, 50]);
    alterTopic(cluster, TOPIC, "retention.ms", "-1");
    nextLook();
    for (const count of countsOfChunks()) expect(count).toBeLessThan(20);
  });

  it("[R20] is not joined where it is damaged: the broker gives its storage up", () => {
    trickle(50);
    const [follower] = tabs.filter((tab) => tab !== leaderOf(cluster, TOPIC));
    const { bytes } = chunksOf(follower!)[3]!;
    bytes[70]! ^= 1;
    nextLook();
    expect(follower!.identity.damage).toContain("the batch at offset 3");
    expect(chunksOf(follower!)).toHaveLength(50);
    expect(values()).toHaveLength(50);
  });
});
