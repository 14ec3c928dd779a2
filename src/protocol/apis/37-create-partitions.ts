import { api, array, boolean, int16, int32, nullableArray, nullableString, optional, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Adds partitions to topics (KIP-195).
 *
 * v1 may be throttled after its answer (KIP-219); v2 is flexible; v3 may answer THROTTLING_QUOTA_EXCEEDED (KIP-599).
 */
export const createPartitions = api({
  key: 37,
  name: "CreatePartitions",
  versions: [0, 3],
  flexibleFrom: 2,
  request: {
    topics: array({
      name: string,
      /** The partitions that the topic shall have afterwards. */
      count: int32,
      /** Replicas of the new partitions, or null to leave them to the controller. */
      assignments: optional(nullableArray({ brokerIds: array(int32) }), null),
    }),
    timeoutMs: int32,
    validateOnly: boolean,
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    results: array({ name: string, errorCode: int16, errorMessage: optional(nullableString, null) }),
  },
});

export type CreatePartitionsRequest = Request<typeof createPartitions>;
export type CreatePartitionsRequestInit = RequestInit<typeof createPartitions>;
export type CreatePartitionsResponse = Response<typeof createPartitions>;
export type CreatePartitionsResponseInit = ResponseInit<typeof createPartitions>;
