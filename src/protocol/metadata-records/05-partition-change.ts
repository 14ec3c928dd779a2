import { int32, int8, nullableArray, tagged, uuid } from "../schema.ts";
import { metadataRecord } from "./metadata-record.ts";

/**
 * What changed in a partition; null, or the fallback of a number, says that it did not. Applying one raises the
 * partition epoch by one, and the leader epoch too when `leader` is given.
 *
 * v1 adds storage directories (KIP-858), v2 the eligible leader replicas (KIP-966).
 */
export const partitionChangeRecord = metadataRecord({
  key: 5,
  name: "PartitionChangeRecord",
  versions: [0, 2],
  fields: {
    partitionId: int32,
    topicId: uuid,
    isr: tagged(0, nullableArray(int32), null),
    /** -1 for no leader any more, -2 for no change. */
    leader: tagged(1, int32, -2),
    replicas: tagged(2, nullableArray(int32), null),
    removingReplicas: tagged(3, nullableArray(int32), null),
    addingReplicas: tagged(4, nullableArray(int32), null),
    leaderRecoveryState: tagged(5, int8, -1),
    eligibleLeaderReplicas: tagged(6, nullableArray(int32), null, 2),
    lastKnownElr: tagged(7, nullableArray(int32), null, 2),
    directories: tagged(8, nullableArray(uuid), null, 1),
    /** Not in Kafka, as in the PartitionRecord; -1 for no change of the number. */
    reassignedFrom: tagged(10_000, nullableArray(int32), null),
    replicationFactor: tagged(10_001, int32, -1),
  },
});
