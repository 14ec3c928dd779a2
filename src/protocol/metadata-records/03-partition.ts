import { array, int32, int8, nullableArray, optional, since, tagged, uuid } from "../schema.ts";
import { metadataRecord } from "./metadata-record.ts";

/**
 * The whole state of a partition, new or replaced.
 *
 * v1 adds the storage directory of each replica (KIP-858), v2 the eligible leader replicas (KIP-966).
 */
export const partitionRecord = metadataRecord({
  key: 3,
  name: "PartitionRecord",
  versions: [0, 2],
  fields: {
    partitionId: int32,
    topicId: uuid,
    /** In order of preference; the first is the preferred leader. */
    replicas: array(int32),
    isr: array(int32),
    removingReplicas: optional(array(int32), []),
    addingReplicas: optional(array(int32), []),
    /** -1 for none. */
    leader: int32,
    /** 1 while the leader recovers from an unclean election. */
    leaderRecoveryState: tagged(0, int8, 0),
    leaderEpoch: int32,
    partitionEpoch: int32,
    /** In the order of `replicas`. */
    directories: since(1, array(uuid), []),
    eligibleLeaderReplicas: tagged(1, nullableArray(int32), null, 2),
    lastKnownElr: tagged(2, nullableArray(int32), null, 2),
    /** Not in Kafka: the replicas before the reassignment that is in progress. */
    reassignedFrom: tagged(10_000, array(int32), []),
    /** Not in Kafka: the target that a reassignment set for this partition; 0 if it follows its topic's. */
    replicationFactor: tagged(10_001, int32, 0),
  },
});
