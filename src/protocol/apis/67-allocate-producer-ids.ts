import { api, int16, int32, int64, optional } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/** A broker takes a block of producer ids, unique in the cluster, to hand out to its producers (KIP-730). */
export const allocateProducerIds = api({
  key: 67,
  name: "AllocateProducerIds",
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    brokerId: int32,
    brokerEpoch: optional(int64, -1),
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    errorCode: int16,
    producerIdStart: int64,
    producerIdLen: int32,
  },
});

export type AllocateProducerIdsRequest = Request<typeof allocateProducerIds>;
export type AllocateProducerIdsRequestInit = RequestInit<typeof allocateProducerIds>;
export type AllocateProducerIdsResponse = Response<typeof allocateProducerIds>;
export type AllocateProducerIdsResponseInit = ResponseInit<typeof allocateProducerIds>;
