import type { FetchRequest, FetchResponseInit } from "../protocol/apis/01-fetch.ts";
import type { FetchSnapshotRequest, FetchSnapshotResponseInit } from "../protocol/apis/59-fetch-snapshot.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import { METADATA_TOPIC, METADATA_TOPIC_ID } from "./metadata-batch.ts";
import type { MetadataLog } from "./metadata-log.ts";

type PartitionAnswer = FetchResponseInit["responses"][number]["partitions"][number];
type SnapshotAnswer = FetchSnapshotResponseInit["topics"][number]["partitions"][number];

/** What of the controller a reader of its log gets to see. */
export interface MetadataSource {
  readonly log: MetadataLog;
  readonly clusterId: string;
  readonly controllerEpoch: number;
  /** However much a request asks for. */
  readonly maxFetchBytes: number;
}

/** Topic ids replace names from this version of Fetch on. */
const TOPIC_IDS_SINCE = 13;

/** The controller is no broker and has no node id. */
const CONTROLLER_NODE = -1;

const NO_RECORDS = new Uint8Array(0);

/**
 * Answers Fetch of the metadata log, or returns undefined while there is nothing new for the reader, whose request may
 * wait. Only durable records are served, so an image can be ahead of nobody but the controller's own (R1).
 */
export function fetchMetadata(
  source: MetadataSource,
  request: FetchRequest,
  version: number,
  isWaitOver: boolean,
): FetchResponseInit | undefined {
  if (request.clusterId !== null && request.clusterId !== source.clusterId) {
    return { errorCode: errorCode("INCONSISTENT_CLUSTER_ID"), responses: [] };
  }
  // Sessions are declined, as a reader of one partition gains nothing by them.
  if (request.sessionId !== 0) return { errorCode: errorCode("FETCH_SESSION_ID_NOT_FOUND"), responses: [] };
  const [topic] = request.topics;
  if (topic === undefined) return { responses: [] };
  const [partition] = topic.partitions;
  if (request.topics.length > 1 || topic.partitions.length > 1) {
    return { errorCode: errorCode("INVALID_REQUEST"), responses: [] };
  }
  if (partition === undefined) return { responses: [] };
  const answer = (fields: Partial<PartitionAnswer>): FetchResponseInit => {
    const partitions = [{ ...emptyAnswer(source, partition.partition), ...fields }];
    return { responses: [{ topic: topic.topic, topicId: topic.topicId, partitions }] };
  };
  const refuse = (error: ErrorName) => answer({ errorCode: errorCode(error) });

  const isMetadataLog =
    version >= TOPIC_IDS_SINCE ? topic.topicId === METADATA_TOPIC_ID : topic.topic === METADATA_TOPIC;
  if (!isMetadataLog || partition.partition !== 0) {
    return refuse(version >= TOPIC_IDS_SINCE ? "UNKNOWN_TOPIC_ID" : "UNKNOWN_TOPIC_OR_PARTITION");
  }
  const epochError = checkEpoch(source, partition.currentLeaderEpoch);
  if (epochError !== undefined) return refuse(epochError);

  const maxBytes = Math.max(0, Math.min(request.maxBytes, partition.partitionMaxBytes, source.maxFetchBytes));
  const result = source.log.read(partition.fetchOffset, partition.lastFetchedEpoch, maxBytes);
  switch (result.kind) {
    case "out-of-range":
      return refuse("OFFSET_OUT_OF_RANGE");
    case "diverging":
      return answer({ divergingEpoch: { epoch: result.epoch, endOffset: result.endOffset } });
    case "snapshot": {
      const { endOffset, epoch } = result.snapshot;
      return answer({ snapshotId: { endOffset, epoch } });
    }
    case "records":
      if (result.records.length === 0 && !isWaitOver) return undefined;
      return answer({ records: result.records });
  }
}

/** Answers with a piece of the one snapshot there is. */
export function fetchSnapshotPiece(source: MetadataSource, request: FetchSnapshotRequest): FetchSnapshotResponseInit {
  if (request.clusterId !== null && request.clusterId !== source.clusterId) {
    return { errorCode: errorCode("INCONSISTENT_CLUSTER_ID"), topics: [] };
  }
  const [topic] = request.topics;
  const [partition] = topic?.partitions ?? [];
  if (topic === undefined || partition === undefined || request.topics.length > 1 || topic.partitions.length > 1) {
    return { errorCode: errorCode("INVALID_REQUEST"), topics: [] };
  }
  const { controllerEpoch } = source;
  const { snapshotId, position } = partition;
  const answer = (fields: Partial<SnapshotAnswer>): FetchSnapshotResponseInit => ({
    errorCode: errorCode("NONE"),
    topics: [
      {
        name: topic.name,
        partitions: [
          {
            index: partition.partition,
            errorCode: errorCode("NONE"),
            snapshotId,
            currentLeader: { leaderId: CONTROLLER_NODE, leaderEpoch: controllerEpoch },
            size: 0,
            position,
            unalignedRecords: NO_RECORDS,
            ...fields,
          },
        ],
      },
    ],
  });
  const refuse = (error: ErrorName) => answer({ errorCode: errorCode(error) });

  if (topic.name !== METADATA_TOPIC || partition.partition !== 0) return refuse("UNKNOWN_TOPIC_OR_PARTITION");
  const epochError = checkEpoch(source, partition.currentLeaderEpoch);
  if (epochError !== undefined) return refuse(epochError);
  const { snapshot } = source.log;
  if (snapshot?.endOffset !== snapshotId.endOffset || snapshot.epoch !== snapshotId.epoch) {
    return refuse("SNAPSHOT_NOT_FOUND");
  }
  const size = snapshot.records.length;
  if (position < 0 || position >= size) return refuse("POSITION_OUT_OF_RANGE");
  const maxBytes = Math.max(1, Math.min(request.maxBytes, source.maxFetchBytes));
  return answer({ size, unalignedRecords: snapshot.records.subarray(position, position + maxBytes) });
}

function checkEpoch({ controllerEpoch }: MetadataSource, currentLeaderEpoch: number): ErrorName | undefined {
  if (currentLeaderEpoch === -1 || currentLeaderEpoch === controllerEpoch) return undefined;
  return currentLeaderEpoch < controllerEpoch ? "FENCED_LEADER_EPOCH" : "UNKNOWN_LEADER_EPOCH";
}

function emptyAnswer({ log, controllerEpoch }: MetadataSource, partitionIndex: number): PartitionAnswer {
  return {
    partitionIndex,
    errorCode: errorCode("NONE"),
    highWatermark: log.durableEndOffset,
    lastStableOffset: log.durableEndOffset,
    logStartOffset: log.startOffset,
    currentLeader: { leaderId: CONTROLLER_NODE, leaderEpoch: controllerEpoch },
    records: NO_RECORDS,
  };
}
