import {
  api,
  array,
  int16,
  int32,
  nullableSince,
  nullableString,
  optional,
  since,
  string,
  until,
  uuid,
} from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";
import { ZERO_UUID } from "../uuid.ts";

/**
 * Deletes topics with their records.
 *
 * v3 may answer TOPIC_DELETION_DISABLED; v4 is flexible; v5 answers an error message and may throttle (KIP-599);
 * v6 replaces the list of names by topics, each named or given by its id (KIP-516).
 */
export const deleteTopics = api({
  key: 20,
  name: "DeleteTopics",
  versions: [1, 6],
  flexibleFrom: 4,
  request: {
    topics: since(6, array({ name: optional(nullableString, null), topicId: optional(uuid, ZERO_UUID) }), []),
    topicNames: until(5, array(string), []),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: since(1, int32, 0),
    responses: array({
      /** Null for a topic id that is not known. */
      name: nullableSince(6, string),
      topicId: since(6, uuid, ZERO_UUID),
      errorCode: int16,
      errorMessage: since(5, nullableString, null),
    }),
  },
});

export type DeleteTopicsRequest = Request<typeof deleteTopics>;
export type DeleteTopicsRequestInit = RequestInit<typeof deleteTopics>;
export type DeleteTopicsResponse = Response<typeof deleteTopics>;
export type DeleteTopicsResponseInit = ResponseInit<typeof deleteTopics>;
