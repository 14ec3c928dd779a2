import { beforeEach, describe, expect, it } from "vitest";
import { produce } from "../../src/protocol/apis/00-produce.ts";
import type { ProduceResponse } from "../../src/protocol/apis/00-produce.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { describeConfigs } from "../../src/protocol/apis/32-describe-configs.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { loadCodec } from "../../src/protocol/compression/codecs.ts";
import {
  assembleBatch, batches, codecNames, encodeBatch, readBatchHeader, recordsSection, verifyCrc,
} from "../../src/protocol/record-batch.ts";
import type { CodecName } from "../../src/protocol/record-batch.ts";
import { keyed, recordsOf } from "../log/compacted-log.ts";
import type { Pair } from "../log/compacted-log.ts";
import type { CoreBroker, CoreCluster } from "./core-cluster.ts";
import { alterTopic, leaderOf, logKey, produced, sendProduce, threeTabs, untilInSync } from "./core-requests.ts";

const TOPIC = "quakes";
const TOPIC_RESOURCE = 2;
const WHILE_MS = 40_000;
/** The clock of the cluster starts here, see `CoreBroker`. */
const EPOCH_MS = 1_700_000_000_000;

/** Each configuration is changed by a client of a broker, and acts on leader and followers of a topic in use. */
describe("a topic's configuration, changed while it is used", () => {
  let cluster: CoreCluster;
  let tabs: CoreBroker[];

  beforeEach(() => {
    ({ cluster, tabs } = threeTabs(TOPIC));
  });

  const alter = (name: string, value: string | null) => alterTopic(cluster, TOPIC, name, value);

  const described = (name: string) => {
    const { results } = tabs[0]!.connect().ask(describeConfigs, 4, {
      resources: [{ resourceType: TOPIC_RESOURCE, resourceName: TOPIC, configurationKeys: [name] }],
      includeSynonyms: true,
    });
    const { value, configSource, synonyms } = results[0]!.configs[0]!;
    return { value, configSource, synonyms: synonyms.map(({ source }) => source) };
  };

  const leader = () => leaderOf(cluster, TOPIC);
  const key = () => logKey(cluster, TOPIC);
  const starts = () => tabs.map(({ core }) => core.replica(key())!.log.logStartOffset);
  const onDisk = ({ disk }: CoreBroker) =>
    disk.read(key(), 0, Number.POSITIVE_INFINITY).flatMap(({ bytes }) => recordsOf(bytes));

  const requestOf = (records: Uint8Array) => ({
    acks: -1,
    timeoutMs: 30_000,
    topicData: [{ name: TOPIC, partitionData: [{ index: 0, records }] }],
  });

  const outcomeOf = ({ responses }: ProduceResponse) => {
    const { errorCode, errorMessage, logAppendTimeMs, recordErrors } = responses[0]!.partitionResponses[0]!;
    const wrong = recordErrors.map(({ batchIndex }) => batchIndex);
    return { error: errorName(errorCode), message: errorMessage, logAppendTimeMs, wrong };
  };

  const sendRaw = (records: Uint8Array) => outcomeOf(leader().connect().ask(produce, 9, requestOf(records)));

  /** The same of a batch that the leader may have to open. */
  const sendCompressed = async (batch: Uint8Array, codec: CodecName) => {
    const { compress } = await loadCodec(codec);
    const records = assembleBatch(readBatchHeader(batch), await compress(recordsSection(batch)), codec);
    const tab = leader();
    const answer = tab.connect().send(produce, 9, requestOf(records));
    await tab.compress();
    cluster.advance(50);
    return outcomeOf(answer()!);
  };

  const send = (...pairs: Pair[]) => sendRaw(keyed(pairs, {}, EPOCH_MS + cluster.nowMs));

  const fetched = () => {
    const { responses } = leader().connect().ask(fetch, 12, {
      maxWaitMs: 0,
      minBytes: 1,
      topics: [{ topic: TOPIC, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] }],
    });
    return [...batches(responses[0]!.partitions[0]!.records!)];
  };

  it("retention.ms deletes what is too old, everywhere and at once", () => {
    send(["k", "old"]);
    cluster.advance(WHILE_MS);
    send(["k", "new"]);
    cluster.advance(10_000);
    expect(starts()).toEqual([0, 0, 0]);
    alter("retention.ms", String(WHILE_MS / 2));
    expect(starts()).toEqual([1, 1, 1]);
    for (const tab of tabs) expect(onDisk(tab).map(({ value }) => value)).toEqual(["new"]);
    expect(described("retention.ms")).toEqual({ value: "20000", configSource: 1, synonyms: [1, 5] });
    alter("retention.ms", null);
    expect(described("retention.ms")).toEqual({ value: "604800000", configSource: 5, synonyms: [5] });
    cluster.advance(WHILE_MS);
    expect(starts()).toEqual([1, 1, 1]);
  });

  it.each([
    ["ahead of", 30],
    ["behind", -30],
  ])("[R18] a tab whose clock is days %s the server's removes nothing for its age, and says so", (way, days) => {
    for (const tab of tabs) {
      tab.kill();
      tab.wallOffsetMs += days * 24 * 3600 * 1000;
      tab.start();
      untilInSync(cluster, TOPIC, 3);
    }
    send(["k", "young"]);
    cluster.advance(WHILE_MS);
    expect(starts()).toEqual([0, 0, 0]);
    expect(cluster.log.filter((line) => line.includes(`clock is 2592000000 ms ${way} the server's`))).toHaveLength(3);
  });

  it("retention.bytes deletes what is too much, everywhere and at once", () => {
    for (let index = 0; index < 10; index++) send(["k", "x".repeat(1_000)]);
    cluster.advance(10_000);
    expect(starts()).toEqual([0, 0, 0]);
    alter("retention.bytes", "3000");
    const [start] = starts();
    expect(start).toBeGreaterThan(5);
    expect(starts()).toEqual([start, start, start]);
  });

  it("retention acts under load as well", () => {
    send(["k", "old"]);
    cluster.advance(WHILE_MS);
    send(["k", "new"]);
    const first = leader();
    first.slowDisk = true;
    const pending = sendProduce(first.connect(), TOPIC, ["in flight"]);
    alter("retention.ms", String(WHILE_MS / 2));
    first.slowDisk = false;
    first.flush();
    cluster.until(() => pending() !== undefined, "the produce response");
    cluster.advance(600);
    expect(starts()).toEqual([1, 1, 1]);
  });

  it("cleanup.policy goes from delete to compact and back", () => {
    send([null, "keyless"], ["a", "1"]);
    send(["a", "2"]);
    send(["b", "1"]);
    send(["c", "1"]);
    cluster.advance(WHILE_MS);
    alter("cleanup.policy", "compact");
    cluster.advance(1_000);
    const left = ["a=2", "b=1", "c=1"];
    for (const tab of tabs) expect(onDisk(tab).map((record) => `${record.key}=${record.value}`)).toEqual(left);
    expect(send([null, "keyless"])).toMatchObject({ error: "INVALID_RECORD", wrong: [0] });
    expect(send(["a", "3"], [null, "keyless"], ["", "4"], [null, "keyless"])).toMatchObject({ wrong: [1, 3] });
    // What is compacted is not deleted by age.
    alter("retention.ms", "1000");
    cluster.advance(10_000);
    expect(starts()).toEqual([0, 0, 0]);
    alter("cleanup.policy", "delete");
    cluster.advance(1_000);
    expect(starts()).toEqual([5, 5, 5]);
    expect(send([null, "keyless"]).error).toBe("NONE");
  });

  it("cleanup.policy compact takes no record without a key, compressed or not", async () => {
    alter("cleanup.policy", "compact");
    for (const codec of codecNames) {
      const keyless = keyed([["a", codec], [null, "keyless"], [null, "another"]]);
      expect(await sendCompressed(keyless, codec)).toMatchObject({ error: "INVALID_RECORD", wrong: [1, 2] });
      expect(await sendCompressed(keyed([["a", codec], ["b", codec]]), codec)).toMatchObject({ error: "NONE" });
    }
    const held = fetched().map(({ header, bytes }) => {
      expect(verifyCrc(bytes)).toBe(true);
      return codecNames[header.attributes.codec];
    });
    expect(held).toEqual([...codecNames]);
  });

  it("cleanup.policy compact,delete does both", () => {
    send(["a", "1"]);
    send(["a", "2"]);
    send(["b", "1"]);
    alter("cleanup.policy", "compact,delete");
    cluster.advance(1_000);
    for (const tab of tabs) expect(onDisk(tab).map(({ value }) => value)).toEqual(["2", "1"]);
    cluster.advance(WHILE_MS);
    alter("retention.ms", "10000");
    expect(starts()).toEqual([3, 3, 3]);
  });

  it("max.message.bytes bounds the next batch", () => {
    expect(send(["k", "x".repeat(2_000)]).error).toBe("NONE");
    alter("max.message.bytes", "1000");
    expect(send(["k", "x".repeat(2_000)])).toMatchObject({
      error: "MESSAGE_TOO_LARGE",
      message: expect.stringContaining("max.message.bytes 1000"),
    });
    expect(send(["k", "small"]).error).toBe("NONE");
    // What was stored before is read all the same, by consumers and by followers.
    expect(fetched()).toHaveLength(2);
    alter("max.message.bytes", null);
    expect(send(["k", "x".repeat(2_000)]).error).toBe("NONE");
    // The size counts as it is sent, compressed or not.
    alter("max.message.bytes", "3000000");
    expect(send(["k", "x".repeat(2_000_000)]).error).toBe("NONE");
    cluster.advance(100);
    expect(tabs.map(({ core }) => core.replica(key())!.log.logEndOffset)).toEqual([4, 4, 4]);
  });

  it("[R15] min.insync.replicas holds for the next acks=all", () => {
    leader().kill();
    tabs = tabs.filter(({ running }) => running);
    cluster.until(() => send(["k", "two are enough"]).error === "NONE", "the next leader");
    alter("min.insync.replicas", "3");
    expect(send(["k", "refused"]).error).toBe("NOT_ENOUGH_REPLICAS");
    expect(produced(cluster, leader().connect(), TOPIC, ["accepted"], { acks: 1 }).error).toBe("NONE");
    alter("min.insync.replicas", "1");
    expect(send(["k", "accepted"]).error).toBe("NONE");
    expect(described("min.insync.replicas")).toMatchObject({ value: "1", configSource: 1 });
  });

  it("message.timestamp.type stamps the next batch with the leader's time, under a new checksum", () => {
    const sent = keyed([["k", "1"], ["k", "2"]], {}, 1_000);
    expect(sendRaw(sent.slice())).toMatchObject({ error: "NONE", logAppendTimeMs: -1 });
    alter("message.timestamp.type", "LogAppendTime");
    const stampedAtMs = EPOCH_MS + cluster.nowMs;
    expect(sendRaw(sent.slice())).toMatchObject({ error: "NONE", logAppendTimeMs: stampedAtMs });
    alter("message.timestamp.type", "CreateTime");
    expect(sendRaw(sent.slice())).toMatchObject({ error: "NONE", logAppendTimeMs: -1 });
    const told = fetched().map(({ header, bytes }) => {
      expect(verifyCrc(bytes)).toBe(true);
      return [header.attributes.timestampType, header.maxTimestamp];
    });
    expect(told).toEqual([
      ["CreateTime", 1_001],
      ["LogAppendTime", stampedAtMs],
      ["CreateTime", 1_001],
    ]);
    cluster.advance(100);
    const [first, ...others] = tabs.map((tab) => onDisk(tab).map(({ timestamp }) => timestamp));
    expect(first).toEqual([1_000, 1_001, stampedAtMs, stampedAtMs, 1_000, 1_001]);
    for (const other of others) expect(other).toEqual(first);
  });

  it("message.timestamp.before.max.ms and after.max.ms bound what producers say", () => {
    const nowMs = () => EPOCH_MS + cluster.nowMs;
    const at = (timestamp: number) => sendRaw(keyed([["k", "1"], ["k", "2"], ["k", "3"]], {}, timestamp));
    expect(at(1)).toMatchObject({ error: "NONE" });
    expect(at(nowMs() + 10 * WHILE_MS)).toMatchObject({ error: "NONE" });
    alter("message.timestamp.after.max.ms", "1000");
    expect(at(1)).toMatchObject({ error: "NONE" });
    expect(at(nowMs() + 999)).toMatchObject({ error: "INVALID_TIMESTAMP", wrong: [2] });
    expect(at(nowMs() + 998)).toMatchObject({ error: "NONE" });
    alter("message.timestamp.before.max.ms", "500");
    expect(at(1)).toMatchObject({ error: "INVALID_TIMESTAMP", wrong: [0, 1, 2] });
    expect(at(nowMs() - 501)).toMatchObject({ error: "INVALID_TIMESTAMP", wrong: [0] });
    expect(at(nowMs() - 500)).toMatchObject({ error: "NONE" });
    // The broker's own time is always right.
    alter("message.timestamp.type", "LogAppendTime");
    expect(at(1)).toMatchObject({ error: "NONE" });
  });

  it("message.timestamp.before.max.ms is about each record of a compressed batch", async () => {
    alter("message.timestamp.before.max.ms", "1000");
    const nowMs = EPOCH_MS + cluster.nowMs;
    const of = (...timestamps: number[]) =>
      encodeBatch(timestamps.map((timestamp, offset) => ({ offset, timestamp, key: null, value: null })));
    const late = await sendCompressed(of(nowMs, 1, nowMs), "gzip");
    expect(late).toMatchObject({ error: "INVALID_TIMESTAMP", wrong: [1] });
    expect(await sendCompressed(of(nowMs, nowMs), "gzip")).toMatchObject({ error: "NONE" });
  });

  it("survives a restart of every tab and moves with the leadership", () => {
    alter("max.message.bytes", "1000");
    for (const tab of tabs) tab.kill();
    cluster.advance(5_000);
    for (const tab of tabs) tab.start();
    cluster.until(() => tabs.every(({ core }) => core.state === "running"), "three running brokers");
    untilInSync(cluster, TOPIC, 3);
    expect(send(["k", "x".repeat(2_000)]).error).toBe("MESSAGE_TOO_LARGE");
    leader().kill();
    cluster.until(() => send(["k", "small"]).error === "NONE", "the next leader");
    expect(send(["k", "x".repeat(2_000)]).error).toBe("MESSAGE_TOO_LARGE");
  });
});
