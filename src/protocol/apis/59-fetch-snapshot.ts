import {
  api,
  array,
  bytes,
  int16,
  int32,
  int64,
  nullableString,
  optional,
  string,
  struct,
  tagged,
  uint16,
  uuid,
} from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";
import { ZERO_UUID } from "../uuid.ts";

/**
 * Reads a snapshot of the metadata log piecewise, after Fetch has answered that the log's beginning is gone (KIP-630).
 *
 * Only v1 is spoken; it adds the asker's storage directory and the leader's endpoint (KIP-853).
 */
export const fetchSnapshot = api({
  key: 59,
  name: "FetchSnapshot",
  versions: [1, 1],
  flexibleFrom: 0,
  request: {
    clusterId: tagged(0, nullableString, null),
    replicaId: optional(int32, -1),
    maxBytes: optional(int32, 0x7fffffff),
    topics: array({
      name: string,
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32,
        snapshotId: struct({ endOffset: int64, epoch: int32 }),
        /** The byte to read from. */
        position: int64,
        replicaDirectoryId: tagged(0, uuid, ZERO_UUID),
      }),
    }),
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    errorCode: int16,
    topics: array({
      name: string,
      partitions: array({
        index: int32,
        errorCode: int16,
        snapshotId: struct({ endOffset: int64, epoch: int32 }),
        currentLeader: tagged(0, struct({ leaderId: int32, leaderEpoch: int32 }), null),
        /** Of the whole snapshot, in bytes. */
        size: int64,
        position: int64,
        /** A piece of the snapshot's record batches, which may begin and end within a batch. */
        unalignedRecords: bytes,
      }),
    }),
    nodeEndpoints: tagged(0, array({ nodeId: int32, host: string, port: uint16 }), []),
  },
});

export type FetchSnapshotRequest = Request<typeof fetchSnapshot>;
export type FetchSnapshotRequestInit = RequestInit<typeof fetchSnapshot>;
export type FetchSnapshotResponse = Response<typeof fetchSnapshot>;
export type FetchSnapshotResponseInit = ResponseInit<typeof fetchSnapshot>;
