import { array, int32, optional, string, uuid } from "../schema.ts";
import { consumerGroupRecord } from "./group-record.ts";

/** The subscribed topics as the group's epoch saw them. Since Kafka 4.1 the group's metadata hash stands for them. */
export const consumerGroupPartitionMetadataRecord = consumerGroupRecord({
  type: "ConsumerGroupPartitionMetadata",
  keyVersion: 4,
  key: { groupId: string },
  value: {
    topics: array({
      topicId: uuid,
      topicName: string,
      numPartitions: int32,
      /** Empty where no racks are known. */
      partitionMetadata: optional(array({ partition: int32, racks: array(string) }), []),
    }),
  },
});
