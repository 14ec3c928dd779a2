import {
  api,
  array,
  between,
  boolean,
  int16,
  int32,
  nullableSince,
  nullableString,
  since,
  string,
  uuid,
} from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";
import { ZERO_UUID } from "../uuid.ts";

/** Stands for "not asked for" in the bit fields of authorized operations. */
export const OPERATIONS_NOT_REQUESTED = -0x80000000;

/**
 * Which brokers there are, and who leads which partition.
 *
 * v0 asks for all topics with an empty list; v1 with null, an empty list being none. v1 has the controller and racks;
 * v2 the cluster id; v4 automatic topic creation (KIP-204); v5 offline replicas (KIP-112); v7 leader epochs (KIP-320);
 * v8 authorized operations (KIP-430); v9 is flexible; v10 has topic ids, by which v12 may ask (KIP-516); v11 leaves
 * the cluster's authorized operations to DescribeCluster (KIP-700).
 *
 * Not implemented: v13 (a top-level error that asks clients to bootstrap again, KIP-1102).
 */
export const metadata = api({
  key: 3,
  name: "Metadata",
  versions: [0, 12],
  flexibleFrom: 9,
  request: {
    topics: nullableSince(
      1,
      array({ topicId: since(10, uuid, ZERO_UUID), name: nullableSince(10, string) }),
    ),
    allowAutoTopicCreation: since(4, boolean, true),
    includeClusterAuthorizedOperations: between(8, 10, boolean, false),
    includeTopicAuthorizedOperations: since(8, boolean, false),
  },
  response: {
    throttleTimeMs: since(3, int32, 0),
    brokers: array({ nodeId: int32, host: string, port: int32, rack: since(1, nullableString, null) }),
    clusterId: since(2, nullableString, null),
    controllerId: since(1, int32, -1),
    topics: array({
      errorCode: int16,
      /** Null for a topic id that is not known. */
      name: nullableSince(12, string),
      topicId: since(10, uuid, ZERO_UUID),
      isInternal: since(1, boolean, false),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: since(7, int32, -1),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        offlineReplicas: since(5, array(int32), []),
      }),
      topicAuthorizedOperations: since(8, int32, OPERATIONS_NOT_REQUESTED),
    }),
    clusterAuthorizedOperations: between(8, 10, int32, OPERATIONS_NOT_REQUESTED),
  },
});

export type MetadataRequest = Request<typeof metadata>;
export type MetadataRequestInit = RequestInit<typeof metadata>;
export type MetadataResponse = Response<typeof metadata>;
export type MetadataResponseInit = ResponseInit<typeof metadata>;
