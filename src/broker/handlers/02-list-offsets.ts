import {
  EARLIEST_LOCAL_TIMESTAMP,
  EARLIEST_TIMESTAMP,
  LATEST_TIMESTAMP,
  MAX_TIMESTAMP,
  listOffsets,
} from "../../protocol/apis/02-list-offsets.ts";
import type { ListOffsetsResponseInit } from "../../protocol/apis/02-list-offsets.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import { CorruptMessageError } from "../../protocol/errors.ts";
import { distinct, duplicates } from "../../metadata/request-error.ts";
import { checkLeaderEpoch } from "../../replication/fetch-fencing.ts";
import type { Broker } from "../broker.ts";
import { gatherInTurn } from "../gather.ts";
import type { Handler } from "../handle-request.ts";

type PartitionResponse = ListOffsetsResponseInit["topics"][number]["partitions"][number];
type Found = { readonly offset: number; readonly timestamp: number };

interface AskedPartition {
  readonly partitionIndex: number;
  readonly currentLeaderEpoch: number;
  readonly timestamp: number;
}

interface Wanted {
  readonly name: string;
  readonly asked: AskedPartition;
  readonly isTwice: boolean;
}

/** Below these versions a timestamp of that meaning is not known, as any other negative one is in none. */
const knownSince: ReadonlyMap<number, number> = new Map([
  [LATEST_TIMESTAMP, 1],
  [EARLIEST_TIMESTAMP, 1],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL_TIMESTAMP, 8],
]);

const indexOf = ({ partitionIndex }: AskedPartition) => String(partitionIndex);

/**
 * Serves v1 to v8. The latest offset is the high watermark, and is not told before that has passed the start of the
 * leader's epoch (R14, KIP-207). By timestamp the answer is exact for uncompressed records, and the start of the batch
 * for compressed ones. That may take a chunk of each partition from the disk, so they are looked up one by one.
 */
export const listOffsetsHandler: Handler<typeof listOffsets> = {
  api: listOffsets,
  handle(broker, request, { version }, respond) {
    const topics = request.topics.map(({ name, partitions }) => {
      const twice = duplicates(partitions, indexOf);
      const wanted = distinct(partitions, indexOf);
      return { name, wanted: wanted.map((asked) => ({ name, asked, isTwice: twice.has(indexOf(asked)) })) };
    });
    gatherInTurn<Wanted, PartitionResponse>(
      topics.flatMap(({ wanted }) => wanted),
      ({ name, asked, isTwice }, answered) => {
        const { partitionIndex } = asked;
        if (isTwice) answered({ partitionIndex, errorCode: errorCode("INVALID_REQUEST") });
        else answer(broker, version, name, asked, answered);
      },
      (answers) => {
        let at = 0;
        const next = (count: number) => answers.slice(at, (at += count));
        respond({ topics: topics.map(({ name, wanted }) => ({ name, partitions: next(wanted.length) })) });
      },
    );
  },
};

function answer(
  broker: Broker,
  version: number,
  topic: string,
  asked: AskedPartition,
  done: (answer: PartitionResponse) => void,
): void {
  const refuse = (error: ErrorName) => done({ partitionIndex: asked.partitionIndex, errorCode: errorCode(error) });
  const since = asked.timestamp < 0 ? (knownSince.get(asked.timestamp) ?? Number.POSITIVE_INFINITY) : 0;
  if (version < since) return refuse("UNSUPPORTED_VERSION");
  const found = broker.leaderOf(topic, asked.partitionIndex);
  if ("error" in found) return refuse(found.error);
  const { replica, state } = found;
  const fenced = checkLeaderEpoch(asked.currentLeaderEpoch, state.leaderEpoch);
  if (fenced !== undefined) return refuse(fenced);
  const { log } = replica;
  const tell = ({ offset, timestamp }: Found) =>
    done({
      partitionIndex: asked.partitionIndex,
      errorCode: 0,
      offset,
      timestamp,
      leaderEpoch: offset < 0 ? -1 : (log.epochs.epochAt(offset) ?? state.leaderEpoch),
    });
  if (asked.timestamp === EARLIEST_TIMESTAMP || asked.timestamp === EARLIEST_LOCAL_TIMESTAMP) {
    return tell({ offset: log.logStartOffset, timestamp: -1 });
  }
  if (!state.hwMonotonicReady) return refuse(version < 5 ? "LEADER_NOT_AVAILABLE" : "OFFSET_NOT_AVAILABLE");
  if (asked.timestamp === LATEST_TIMESTAMP) return tell({ offset: state.highWatermark, timestamp: -1 });
  const timestamp = asked.timestamp === MAX_TIMESTAMP ? log.maxTimestamp : asked.timestamp;
  if (timestamp < 0) return tell(NOTHING);
  // What is not committed yet is not told.
  const tellCommitted = (first: Found | undefined) =>
    tell(first === undefined || first.offset >= state.highWatermark ? NOTHING : first);
  const lookUp = (startOffset?: number): void => {
    const where = log.offsetForTimestamp(timestamp, startOffset);
    if (where.kind === "none") return tell(NOTHING);
    if (where.kind === "found") return tellCommitted(where);
    broker.read(replica, where.fromOffset, where.maxBytes, (chunks) => {
      try {
        const first = log.findTimestamp(chunks, timestamp);
        const end = chunks.at(-1)?.lastOffset;
        // A chunk promises a timestamp by what its batches say, and may not keep that.
        if (first === undefined && end !== undefined) return lookUp(end + 1);
        tellCommitted(first);
      } catch (error) {
        if (!(error instanceof CorruptMessageError)) throw error;
        refuse("KAFKA_STORAGE_ERROR");
        broker.damaged(error);
      }
    });
  };
  lookUp();
}

const NOTHING: Found = { offset: -1, timestamp: -1 };
