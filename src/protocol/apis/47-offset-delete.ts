import { api, array, int16, int32, optional, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/** Deletes committed offsets of topics that no member subscribes to (KIP-496). No version is flexible. */
export const offsetDelete = api({
  key: 47,
  name: "OffsetDelete",
  versions: [0, 0],
  flexibleFrom: 1,
  request: {
    groupId: string,
    topics: array({ name: string, partitions: array({ partitionIndex: int32 }) }),
  },
  response: {
    errorCode: int16,
    throttleTimeMs: optional(int32, 0),
    topics: array({ name: string, partitions: array({ partitionIndex: int32, errorCode: int16 }) }),
  },
});

export type OffsetDeleteRequest = Request<typeof offsetDelete>;
export type OffsetDeleteRequestInit = RequestInit<typeof offsetDelete>;
export type OffsetDeleteResponse = Response<typeof offsetDelete>;
export type OffsetDeleteResponseInit = ResponseInit<typeof offsetDelete>;
