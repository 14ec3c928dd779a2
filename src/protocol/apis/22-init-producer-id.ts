import { api, int16, int32, int64, nullableString, optional, since } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Gives a producer its id and epoch (KIP-98): a fresh id, or for a transactional id the one it always had.
 *
 * v2 is flexible; v3 lets a producer bump its epoch and resume (KIP-360); v4 may answer PRODUCER_FENCED (KIP-588);
 * v5 may answer TRANSACTION_ABORTABLE (KIP-890). Not implemented: v6 (two-phase commit, KIP-939).
 */
export const initProducerId = api({
  key: 22,
  name: "InitProducerId",
  versions: [0, 5],
  flexibleFrom: 2,
  request: {
    transactionalId: nullableString,
    transactionTimeoutMs: int32,
    producerId: since(3, int64, -1),
    producerEpoch: since(3, int16, -1),
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    errorCode: int16,
    producerId: optional(int64, -1),
    producerEpoch: int16,
  },
});

export type InitProducerIdRequest = Request<typeof initProducerId>;
export type InitProducerIdRequestInit = RequestInit<typeof initProducerId>;
export type InitProducerIdResponse = Response<typeof initProducerId>;
export type InitProducerIdResponseInit = ResponseInit<typeof initProducerId>;
