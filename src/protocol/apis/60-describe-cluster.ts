import { api, array, boolean, int16, int32, int8, nullableString, optional, since, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";
import { OPERATIONS_NOT_REQUESTED } from "./03-metadata.ts";

/**
 * The brokers of the cluster, without its topics (KIP-700).
 *
 * v1 tells brokers from controllers (KIP-919). Not implemented: v2 (fenced brokers, KIP-1073).
 */
export const describeCluster = api({
  key: 60,
  name: "DescribeCluster",
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    includeClusterAuthorizedOperations: optional(boolean, false),
    /** 1 for brokers, 2 for controllers. */
    endpointType: since(1, int8, 1),
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    errorCode: int16,
    errorMessage: optional(nullableString, null),
    endpointType: since(1, int8, 1),
    clusterId: string,
    controllerId: optional(int32, -1),
    brokers: array({ brokerId: int32, host: string, port: int32, rack: optional(nullableString, null) }),
    clusterAuthorizedOperations: optional(int32, OPERATIONS_NOT_REQUESTED),
  },
});

export type DescribeClusterRequest = Request<typeof describeCluster>;
export type DescribeClusterRequestInit = RequestInit<typeof describeCluster>;
export type DescribeClusterResponse = Response<typeof describeCluster>;
export type DescribeClusterResponseInit = ResponseInit<typeof describeCluster>;
