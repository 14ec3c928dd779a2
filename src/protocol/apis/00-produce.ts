import {
  api,
  array,
  int16,
  int32,
  int64,
  nullableString,
  optional,
  records,
  since,
  string,
  struct,
  tagged,
} from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Appends record batches to partitions. With `acks` 0 there is no response at all.
 *
 * v3 is the first with version 2 record batches (KIP-98); v5 answers the log start offset; v7 may carry zstd
 * (KIP-110); v8 answers which records were wrong (KIP-467); v9 is flexible; v10 tells the new leader along with the
 * error (KIP-951); v11 may answer TRANSACTION_ABORTABLE (KIP-890).
 *
 * Versions 0 to 2 are advertised but not served, as Kafka 4.0 does: older librdkafka compresses only for a broker
 * that offers version 0 (KAFKA-18659). Not implemented: v12 (transactions version 2) and v13 (topic ids).
 */
export const produce = api({
  key: 0,
  name: "Produce",
  versions: [3, 11],
  advertised: [0, 11],
  flexibleFrom: 9,
  request: {
    transactionalId: since(3, nullableString, null),
    /** -1 waits for all in-sync replicas, 1 for the leader, 0 for nobody. */
    acks: int16,
    timeoutMs: int32,
    topicData: array({
      name: string,
      partitionData: array({ index: int32, records }),
    }),
  },
  response: {
    responses: array({
      name: string,
      partitionResponses: array({
        index: int32,
        errorCode: int16,
        /** The offset that the first record got; -1 with an error. */
        baseOffset: int64,
        /** -1 unless the topic stamps its records with the broker's time. */
        logAppendTimeMs: since(2, int64, -1),
        logStartOffset: since(5, int64, -1),
        recordErrors: since(
          8,
          array({ batchIndex: int32, batchIndexErrorMessage: optional(nullableString, null) }),
          [],
        ),
        errorMessage: since(8, nullableString, null),
        currentLeader: tagged(0, struct({ leaderId: int32, leaderEpoch: int32 }), null, 10),
      }),
    }),
    throttleTimeMs: since(1, int32, 0),
    nodeEndpoints: tagged(0, array({ nodeId: int32, host: string, port: int32, rack: nullableString }), [], 10),
  },
});

export type ProduceRequest = Request<typeof produce>;
export type ProduceRequestInit = RequestInit<typeof produce>;
export type ProduceResponse = Response<typeof produce>;
export type ProduceResponseInit = ResponseInit<typeof produce>;
