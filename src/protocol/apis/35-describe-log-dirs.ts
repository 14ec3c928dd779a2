import { api, array, boolean, int16, int32, int64, nullableArray, optional, since, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Tells how much of its storage a broker uses for each replica (KIP-113).
 *
 * v2 is flexible; v3 has an error of its own; v4 tells the size of the whole storage (KIP-827).
 */
export const describeLogDirs = api({
  key: 35,
  name: "DescribeLogDirs",
  versions: [1, 4],
  flexibleFrom: 2,
  request: {
    /** Null for all topics. */
    topics: nullableArray({ topic: string, partitions: array(int32) }),
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    errorCode: since(3, int16, 0),
    results: array({
      errorCode: int16,
      logDir: string,
      topics: array({
        name: string,
        partitions: array({
          partitionIndex: int32,
          partitionSize: int64,
          /** How far the log's end is behind the high watermark. */
          offsetLag: int64,
          /** A log that will take the place of another one in the same broker. */
          isFutureKey: boolean,
        }),
      }),
      /** Of the volume; -1 if it is not known. */
      totalBytes: since(4, int64, -1),
      usableBytes: since(4, int64, -1),
    }),
  },
});

export type DescribeLogDirsRequest = Request<typeof describeLogDirs>;
export type DescribeLogDirsRequestInit = RequestInit<typeof describeLogDirs>;
export type DescribeLogDirsResponse = Response<typeof describeLogDirs>;
export type DescribeLogDirsResponseInit = ResponseInit<typeof describeLogDirs>;
