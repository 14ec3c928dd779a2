import { between, int32, int64, since, string, tagged, uuid } from "../schema.ts";
import { ZERO_UUID } from "../uuid.ts";
import { groupRecord } from "./group-record.ts";

/**
 * How far a group has read a partition. Both key versions say the same; Kafka writes version 1.
 *
 * Value v1 has an expiry of its own, which v2 leaves to the broker (KIP-211); v3 has leader epochs (KIP-320); v4 is
 * flexible. A value is written in version 3 unless it has an expiry or a topic id.
 */
export const offsetCommitRecord = groupRecord({
  type: "OffsetCommit",
  keyVersions: [0, 1],
  key: { group: string, topic: string, partition: int32 },
  valueVersions: [0, 4],
  valueFlexibleFrom: 4,
  value: {
    offset: int64,
    /** -1 for not known. */
    leaderEpoch: since(3, int32, -1),
    metadata: string,
    /** Milliseconds since 1970, as is the expiry. */
    commitTimestamp: int64,
    /** -1 for the broker's retention. */
    expireTimestamp: between(1, 1, int64, -1),
    topicId: tagged(0, uuid, ZERO_UUID, 4),
  },
  valueVersion: ({ expireTimestamp = -1, topicId = ZERO_UUID }) =>
    expireTimestamp !== -1 ? 1 : topicId !== ZERO_UUID ? 4 : 3,
});
