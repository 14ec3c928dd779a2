import {
  api,
  array,
  between,
  int16,
  int32,
  int64,
  int8,
  nullableArray,
  nullableString,
  records,
  since,
  string,
  struct,
  tagged,
  until,
  uuid,
} from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";
import { ZERO_UUID } from "../uuid.ts";

/**
 * Reads record batches from partitions: consumers, followers, and followers of the metadata log.
 *
 * v4 is the first with version 2 record batches and isolation levels (KIP-98); v5 has log start offsets (KIP-107);
 * v7 has fetch sessions (KIP-227); v9 fences by leader epoch (KIP-320); v10 may carry zstd (KIP-110); v11 has racks
 * and the preferred replica (KIP-392); v12 is flexible and finds divergence inline (KIP-595); v13 names topics by id
 * (KIP-516); v15 carries the broker epoch of a follower (KIP-903); v16 tells where the leaders are (KIP-951);
 * v17 adds the follower's storage directory (KIP-853), so only followers need it and clients are not offered it.
 *
 * Not implemented: v18 (high watermark of the follower, KIP-1166); v14's tiered storage error is never sent.
 */
export const fetch = api({
  key: 1,
  name: "Fetch",
  versions: [4, 17],
  advertised: [4, 16],
  flexibleFrom: 12,
  request: {
    clusterId: tagged(0, nullableString, null, 12),
    /** The follower's node id, or -1 for a consumer; from v15 on it is in `replicaState`. */
    replicaId: until(14, int32, -1),
    replicaState: tagged(1, struct({ replicaId: since(15, int32, -1), replicaEpoch: since(15, int64, -1) }), null, 15),
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: since(3, int32, 0x7fffffff),
    /** 0 reads uncommitted, 1 committed records only. */
    isolationLevel: since(4, int8, 0),
    sessionId: since(7, int32, 0),
    /** -1 asks for no session, 0 for a new one. */
    sessionEpoch: since(7, int32, -1),
    topics: array({
      topic: until(12, string, ""),
      topicId: since(13, uuid, ZERO_UUID),
      partitions: array({
        partition: int32,
        currentLeaderEpoch: since(9, int32, -1),
        fetchOffset: int64,
        lastFetchedEpoch: since(12, int32, -1),
        /** The follower's; -1 from a consumer. */
        logStartOffset: since(5, int64, -1),
        partitionMaxBytes: int32,
        replicaDirectoryId: tagged(0, uuid, ZERO_UUID, 17),
      }),
    }),
    forgottenTopicsData: since(
      7,
      array({
        topic: between(7, 12, string, ""),
        topicId: since(13, uuid, ZERO_UUID),
        partitions: array(int32),
      }),
      [],
    ),
    rackId: since(11, string, ""),
  },
  response: {
    throttleTimeMs: since(1, int32, 0),
    errorCode: since(7, int16, 0),
    /** 0 when the broker keeps no session. */
    sessionId: since(7, int32, 0),
    responses: array({
      topic: until(12, string, ""),
      topicId: since(13, uuid, ZERO_UUID),
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        highWatermark: int64,
        lastStableOffset: since(4, int64, -1),
        logStartOffset: since(5, int64, -1),
        /** Where the leader's log parts from the asker's, which must truncate to it; null while they agree. */
        divergingEpoch: tagged(0, struct({ epoch: int32, endOffset: int64 }), null, 12),
        currentLeader: tagged(1, struct({ leaderId: int32, leaderEpoch: int32 }), null, 12),
        /** The snapshot to fetch instead of a part of the metadata log that is gone; null for none. */
        snapshotId: tagged(2, struct({ endOffset: int64, epoch: int32 }), null, 12),
        /**
         * Not Kafka's: what producers last wrote below `logStartOffset`, for a follower that has to start there. It
         * could not tell a gap in their sequences otherwise once it leads.
         */
        earlierProducers: tagged(
          10000,
          array({
            producerId: int64,
            producerEpoch: int16,
            lastTimestamp: int64,
            batches: array({ firstSequence: int32, lastSequence: int32, offset: int64 }),
          }),
          [],
          12,
        ),
        abortedTransactions: since(4, nullableArray({ producerId: int64, firstOffset: int64 }), null),
        preferredReadReplica: since(11, int32, -1),
        records,
      }),
    }),
    nodeEndpoints: tagged(0, array({ nodeId: int32, host: string, port: int32, rack: nullableString }), [], 16),
  },
});

export type FetchRequest = Request<typeof fetch>;
export type FetchRequestInit = RequestInit<typeof fetch>;
export type FetchResponse = Response<typeof fetch>;
export type FetchResponseInit = ResponseInit<typeof fetch>;
