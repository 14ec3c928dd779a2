import { api, array, int16, int32, int64, int8, optional, uuid } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * A leader asks the controller to change the in-sync replicas of its partitions (KIP-497).
 *
 * Only v3 is spoken: it has the recovery state (KIP-704), topic ids (KIP-841) and the broker epoch of each in-sync
 * replica, so that a replica which has restarted since cannot join by its old promise (KIP-903).
 */
export const alterPartition = api({
  key: 56,
  name: "AlterPartition",
  versions: [3, 3],
  flexibleFrom: 0,
  request: {
    brokerId: int32,
    brokerEpoch: optional(int64, -1),
    topics: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        leaderEpoch: int32,
        newIsrWithEpochs: array({ brokerId: int32, brokerEpoch: optional(int64, -1) }),
        /** 1 while the leader recovers from an unclean election. */
        leaderRecoveryState: optional(int8, 0),
        /** The partition epoch that the change is based on. */
        partitionEpoch: int32,
      }),
    }),
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    errorCode: int16,
    topics: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        leaderId: int32,
        leaderEpoch: int32,
        isr: array(int32),
        leaderRecoveryState: optional(int8, 0),
        partitionEpoch: int32,
      }),
    }),
  },
});

export type AlterPartitionRequest = Request<typeof alterPartition>;
export type AlterPartitionRequestInit = RequestInit<typeof alterPartition>;
export type AlterPartitionResponse = Response<typeof alterPartition>;
export type AlterPartitionResponseInit = ResponseInit<typeof alterPartition>;
