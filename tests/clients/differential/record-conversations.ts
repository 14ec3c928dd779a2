import { produce } from "../../../src/protocol/apis/00-produce.ts";
import { fetch } from "../../../src/protocol/apis/01-fetch.ts";
import { listOffsets } from "../../../src/protocol/apis/02-list-offsets.ts";
import { initProducerId } from "../../../src/protocol/apis/22-init-producer-id.ts";
import { offsetForLeaderEpoch } from "../../../src/protocol/apis/23-offset-for-leader-epoch.ts";
import {
  assembleBatch, batches, codecNames, describeRecords, encodeBatch, recordsSection,
} from "../../../src/protocol/record-batch.ts";
import type { BatchInit, CodecName } from "../../../src/protocol/record-batch.ts";
import type { RecordInit } from "../../../src/protocol/records.ts";
import { encodeCompressedBatch } from "../../protocol/compressed-batch.ts";
import type { Conversation, Speaker } from "./speaker.ts";
import { makeTopic } from "./topic-conversations.ts";

const HOUR_MS = 3_600_000;
/** The timestamps of both sides are the same, and too new for a broker to let the records go. */
const EARLY = Date.now() - HOUR_MS;
const UNKNOWN_ID = "12345678-1234-4234-8234-123456789012";

/** A batch whose records have the timestamps `first`, `first + 1`, …. */
function batch(count: number, first = EARLY, init: Partial<BatchInit> = {}): Uint8Array<ArrayBuffer> {
  return encodeBatch(records(count, first), init);
}

function records(count: number, first = EARLY): RecordInit[] {
  const bytes = (text: string) => new TextEncoder().encode(text);
  return Array.from({ length: count }, (_, index) => ({
    offset: index,
    timestamp: first + index,
    key: bytes(`key-${index}`),
    value: bytes(`value-${index}`),
    headers: [],
  }));
}

function topicData(name: string, index: number, records: Uint8Array) {
  return [{ name, partitionData: [{ index, records }] }];
}

async function fill(speaker: Speaker, batches: readonly Uint8Array[]): Promise<void> {
  for (const records of batches) {
    await speaker.arrange(
      produce,
      { acks: -1, timeoutMs: 5_000, topicData: topicData(speaker.name, 0, records) },
      ({ responses }) => responses[0]!.partitionResponses[0]!.errorCode === 0,
    );
  }
}

const produceTalk: Conversation = {
  api: produce,
  async talk(speaker) {
    const { name } = speaker;
    await makeTopic(speaker, name);
    const ask = (label: string, records: Uint8Array, { topic = name, index = 0, acks = -1 } = {}) =>
      speaker.ask(label, produce, { acks, timeoutMs: 5_000, topicData: topicData(topic, index, records) });
    await ask("records", batch(3));
    await ask("records for the leader alone", batch(2), { acks: 1 });
    await ask("with three acks", batch(1), { acks: 3 });
    await ask("to an unknown topic", batch(1), { topic: `${name}-unknown` });
    await ask("to an unknown partition", batch(1), { index: 9 });
    await ask("to a negative partition", batch(1), { index: -1 });
    await ask("to an invalid topic", batch(1), { topic: "no topic" });
    await ask("without records", new Uint8Array());
    const damaged = batch(1);
    damaged[damaged.length - 1]! ^= 1;
    await ask("with a wrong checksum", damaged);
    await ask("cut short", batch(1).subarray(0, 70));
    await ask("cut before the header's end", batch(1).subarray(0, 40));
    const old = batch(1);
    old[16] = 1;
    await ask("of an old format", old);
    const future = batch(1);
    future[16] = 3;
    await ask("of a future format", future);
    const both = new Uint8Array([...batch(1), ...batch(1)]);
    await ask("in two batches", both);
    const lengthened = batch(1);
    lengthened[11]! += 1;
    await ask("of a batch that says to be longer", lengthened);
    const shortened = batch(1);
    shortened[11]! -= 1;
    await ask("of a batch that says to be shorter", shortened);
    const tiny = batch(1);
    tiny[11] = 9;
    await ask("of a batch that says to be smaller than a header", tiny);
    await ask("with an offset of its own", batch(2, EARLY, { baseOffset: 5 }));
    await ask("with more records than it says", batch(3, EARLY, { recordCount: 2 }));
    await ask("with other deltas than it says", batch(3, EARLY, { lastOffsetDelta: 5 }));
    await ask("of no records by its header", batch(1, EARLY, { recordCount: 0, lastOffsetDelta: 0 }));
    const control = { control: true, producerId: 7, producerEpoch: 0, baseSequence: 0 };
    await ask("as a control batch", batch(1, EARLY, control));
    await ask("too large", batch(60_000));
    await ask("after all that", batch(1));
    await ask("of another timestamp type", batch(1, EARLY, { timestampType: "LogAppendTime" }));
    const timed = `${name}-timed`;
    const bounds = { "message.timestamp.before.max.ms": String(2 * HOUR_MS), "message.timestamp.after.max.ms": "1000" };
    await makeTopic(speaker, timed, 1, bounds);
    const topic = { topic: timed };
    await ask("of the last hour to a topic with bounds", batch(2), topic);
    await ask("of long ago to a topic with bounds", batch(2, EARLY - 2 * HOUR_MS), topic);
    await ask("partly of long ago to a topic with bounds", batch(2, EARLY - HOUR_MS - 1), topic);
    await ask("of tomorrow to a topic with bounds", batch(2, EARLY + 24 * HOUR_MS), topic);
    await ask("without timestamps to a topic with bounds", batch(1, -1), topic);
    await makeTopic(speaker, `${name}-keyed`, 1, { "cleanup.policy": "compact" });
    const compacted = { topic: `${name}-keyed` };
    await ask("with keys to a compacted topic", batch(2), compacted);
    await ask("without some keys to a compacted topic", partlyKeyed(), compacted);
    for (const type of ["uncompressed", "gzip", "snappy", "lz4", "zstd"]) {
      const recompressed = `${name}-${type}`;
      const topicId = await makeTopic(speaker, recompressed, 1, { "compression.type": type });
      for (const codec of codecNames.slice(0, speaker.version < 7 ? -1 : undefined)) {
        await ask(`with ${codec} to a topic with ${type}`, await compressed(codec), { topic: recompressed });
      }
      // What has the topic's codec already is not opened by tabs.
      const codec = type === "gzip" ? "lz4" : "gzip";
      const garbage = assembleBatch(describeRecords(records(2)), new Uint8Array([1, 2, 3]), codec);
      await ask(`with garbage to a topic with ${type}`, garbage, { topic: recompressed });
      const few = assembleBatch(describeRecords(records(3)), recordsSection(await compressed(codec)), codec);
      await ask(`with less than it says to a topic with ${type}`, few, { topic: recompressed });
      speaker.note(`what a topic with ${type} holds`, await storedBatches(speaker, recompressed, topicId));
    }
  },
};

function compressed(codec: CodecName): Promise<Uint8Array> {
  return encodeCompressedBatch(records(2), codec);
}

/** The headers of a partition's batches, but for what a compressor makes of them. */
async function storedBatches(speaker: Speaker, topic: string, topicId: string) {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }];
  const asked = { maxWaitMs: 10, minBytes: 1, topics: [{ topic, topicId, partitions }] };
  const { responses } = await speaker.arrange(fetch, asked);
  const bytes = responses[0]!.partitions[0]!.records ?? new Uint8Array();
  return [...batches(bytes, "ignored")].map(({ header: { attributes, baseOffset, recordCount, maxTimestamp } }) =>
    ({ attributes, baseOffset, recordCount, maxTimestamp }));
}

/** Three records of which the second one alone has a key. */
function partlyKeyed(): Uint8Array {
  const value = new Uint8Array([1]);
  const keys = [null, value, null];
  return encodeBatch(keys.map((key, offset) => ({ offset, timestamp: EARLY, key, value, headers: [] })));
}

const idempotentTalk: Conversation = {
  api: initProducerId,
  async talk(speaker) {
    const { name } = speaker;
    await makeTopic(speaker, name);
    const init = { transactionalId: null, transactionTimeoutMs: 60_000 };
    // The first id of a cluster takes a while.
    await speaker.arrange(initProducerId, init, ({ errorCode }) => errorCode === 0);
    const { producerId } = await speaker.ask("an id", initProducerId, init);
    if (speaker.version >= 3) {
      await speaker.ask("a new epoch", initProducerId, { ...init, producerId, producerEpoch: 0 });
      await speaker.ask("half an epoch", initProducerId, { ...init, producerId, producerEpoch: -1 });
    }
    await speaker.ask("for an empty transactional id", initProducerId, { ...init, transactionalId: "" });
    await speaker.ask("with a negative timeout", initProducerId, { ...init, transactionTimeoutMs: -1 });
    const send = async (label: string, producerEpoch: number, baseSequence: number, count = 2) => {
      const records = batch(count, EARLY, { producerId, producerEpoch, baseSequence });
      const body = { acks: -1, timeoutMs: 5_000, topicData: topicData(name, 0, records) };
      speaker.note(label, (await speaker.arrange(produce, body)).responses);
    };
    await send("first", 0, 0);
    await send("second", 0, 2);
    await send("second again", 0, 2);
    await send("first again", 0, 0);
    await send("with a gap", 0, 9);
    await send("that overlaps", 0, 3);
    await send("of the next epoch", 1, 0);
    await send("of the old epoch", 0, 4);
    await send("of a later epoch, not from 0", 2, 7);
    for (let sequence = 2; sequence < 14; sequence += 2) await send(`at ${sequence}`, 1, sequence);
    await send("that is too old to be known", 1, 0);
    await send("that is the fifth last", 1, 4);
  },
};

const fetchTalk: Conversation = {
  api: fetch,
  async talk(speaker) {
    const { name, version } = speaker;
    const topicId = await makeTopic(speaker, name, 2);
    await fill(speaker, [batch(3), batch(2), batch(4)]);
    type Partition = { readonly partition?: number; readonly currentLeaderEpoch?: number; readonly max?: number };
    type Whole = { topic?: string; topicId?: string; maxBytes?: number; sessionId?: number; sessionEpoch?: number };
    const ask = (label: string, fetchOffset: number, partition: Partition = {}, whole: Whole = {}) => {
      const { max = 1_000_000, ...one } = partition;
      const { topic = name, topicId: id = topicId, ...request } = whole;
      const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: max, ...one }];
      return speaker.ask(label, fetch, {
        maxWaitMs: 10,
        minBytes: 1,
        topics: [{ topic, topicId: id, partitions }],
        ...request,
      });
    };
    await ask("from the beginning", 0);
    await ask("from within a batch", 4);
    await ask("at the end", 9);
    await ask("beyond the end", 10);
    await ask("from a negative offset", -2);
    await ask("an empty partition", 0, { partition: 1 });
    await ask("an unknown partition", 0, { partition: 9 });
    await ask("an unknown topic", 0, {}, { topic: `${name}-unknown`, topicId: UNKNOWN_ID });
    await ask("a byte of the partition", 0, { max: 1 });
    await ask("a byte in all", 0, {}, { maxBytes: 1 });
    await ask("nothing of the partition", 3, { max: 0 });
    if (version >= 9) {
      await ask("of this epoch", 0, { currentLeaderEpoch: 0 });
      await ask("of a later epoch", 0, { currentLeaderEpoch: 7 });
    }
    if (version < 7) return;
    await ask("in an unknown session", 0, {}, { sessionId: 1234, sessionEpoch: 3 });
    await ask("in no session, as if there were one", 0, {}, { sessionEpoch: 3 });
    await ask("in a session of a negative epoch", 0, {}, { sessionId: 1234, sessionEpoch: -2 });
    await ask("closing an unknown session", 0, {}, { sessionId: 1234, sessionEpoch: -1 });
    const isolated = { isolationLevel: 1, maxWaitMs: 10, minBytes: 1 };
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }];
    await speaker.ask("what is committed", fetch, { ...isolated, topics: [{ topic: name, topicId, partitions }] });
    const beyond = [{ ...partitions[0]!, fetchOffset: 99 }, { ...partitions[0]!, partition: 9 }];
    await speaker.ask("beyond it", fetch, { ...isolated, topics: [{ topic: name, topicId, partitions: beyond }] });
    await speaker.ask("nothing", fetch, { maxWaitMs: 0, minBytes: 0, topics: [] });
  },
};

const listOffsetsTalk: Conversation = {
  api: listOffsets,
  async talk(speaker) {
    const { name, version } = speaker;
    await makeTopic(speaker, name, 2);
    await fill(speaker, [batch(3), batch(2, EARLY + 100), batch(2, EARLY + 50)]);
    const ask = (label: string, timestamp: number, partition: { partitionIndex?: number; epoch?: number } = {}) => {
      const { partitionIndex = 0, epoch = -1 } = partition;
      const partitions = [{ partitionIndex, timestamp, currentLeaderEpoch: epoch }];
      return speaker.ask(label, listOffsets, { topics: [{ name, partitions }] });
    };
    await ask("earliest", -2);
    await ask("latest", -1);
    await ask("earliest of an empty partition", -2, { partitionIndex: 1 });
    await ask("latest of an empty partition", -1, { partitionIndex: 1 });
    await ask("by a time before all", EARLY - 5);
    await ask("by a time within a batch", EARLY + 1);
    await ask("by a time between batches", EARLY + 20);
    await ask("by the last time", EARLY + 101);
    await ask("by a time after all", EARLY + 102);
    await ask("by a time in an empty partition", EARLY, { partitionIndex: 1 });
    await ask("of an unknown partition", -1, { partitionIndex: 9 });
    await ask("of a negative time", -17);
    if (version >= 7) await ask("the largest time", -3);
    if (version >= 7) await ask("the largest time of an empty partition", -3, { partitionIndex: 1 });
    if (version >= 8) await ask("the earliest on disk", -4);
    if (version >= 4) await ask("of this epoch", -1, { epoch: 0 });
    if (version >= 4) await ask("of a later epoch", -1, { epoch: 5 });
    const partitions = [{ partitionIndex: 0, timestamp: -1 }];
    await speaker.ask("of an unknown topic", listOffsets, { topics: [{ name: `${name}-unknown`, partitions }] });
    const twice = [{ partitionIndex: 0, timestamp: -1 }, { partitionIndex: 0, timestamp: -2 }];
    await speaker.ask("twice in one request", listOffsets, { topics: [{ name, partitions: twice }] });
  },
};

const leaderEpochTalk: Conversation = {
  api: offsetForLeaderEpoch,
  async talk(speaker) {
    const { name } = speaker;
    await makeTopic(speaker, name);
    await fill(speaker, [batch(3)]);
    const ask = (label: string, leaderEpoch: number, { currentLeaderEpoch = -1, partition = 0, topic = name } = {}) =>
      speaker.ask(label, offsetForLeaderEpoch, {
        replicaId: -1,
        topics: [{ topic, partitions: [{ partition, currentLeaderEpoch, leaderEpoch }] }],
      });
    await ask("this epoch", 0);
    await ask("a later epoch", 3);
    await ask("no epoch", -1);
    await ask("asked from this epoch", 0, { currentLeaderEpoch: 0 });
    await ask("asked from a later epoch", 0, { currentLeaderEpoch: 4 });
    await ask("of an unknown partition", 0, { partition: 9 });
    await ask("of an unknown topic", 0, { topic: `${name}-unknown` });
  },
};

export const recordConversations: readonly Conversation[] = [
  produceTalk,
  idempotentTalk,
  fetchTalk,
  listOffsetsTalk,
  leaderEpochTalk,
];
