import { array, bytes, int32, int64, nullableString, since, string } from "../schema.ts";
import { groupRecord } from "./group-record.ts";

/**
 * A classic group with its members, as of its last complete generation.
 *
 * Value v1 has rebalance timeouts (KIP-62), v2 the time of the last change of state (KIP-211), v3 static members
 * (KIP-345); v4 is flexible and otherwise the same, so Kafka writes version 3.
 */
export const groupMetadataRecord = groupRecord({
  type: "GroupMetadata",
  keyVersions: [2, 2],
  key: { group: string },
  valueVersions: [0, 4],
  valueFlexibleFrom: 4,
  value: {
    /** Empty while no member has joined. */
    protocolType: string,
    generation: int32,
    /** Null, as is the leader, while the group has no members. */
    protocol: nullableString,
    leader: nullableString,
    /** Milliseconds since 1970, or -1. */
    currentStateTimestamp: since(2, int64, -1),
    members: array({
      memberId: string,
      groupInstanceId: since(3, nullableString, null),
      clientId: string,
      clientHost: string,
      /** Milliseconds; -1 for the session timeout. */
      rebalanceTimeout: since(1, int32, -1),
      sessionTimeout: int32,
      /** The member's metadata for the chosen protocol. */
      subscription: bytes,
      assignment: bytes,
    }),
  },
  valueVersion: () => 3,
});
