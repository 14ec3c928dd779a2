import { array, int64, string } from "../schema.ts";
import { consumerGroupRecord } from "./group-record.ts";

/** The topics that a subscribed regular expression matched. */
export const consumerGroupRegularExpressionRecord = consumerGroupRecord({
  type: "ConsumerGroupRegularExpression",
  keyVersion: 16,
  key: { groupId: string, regularExpression: string },
  value: {
    topics: array(string),
    /** The version of the cluster's metadata in which they were looked up, and when, in milliseconds since 1970. */
    version: int64,
    timestamp: int64,
  },
});
