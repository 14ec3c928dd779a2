import type {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponseInit,
} from "../protocol/apis/75-describe-topic-partitions.ts";
import type { ClusterImage } from "./image.ts";
import { metadataResponse } from "./metadata-response.ts";

type TopicDescription = DescribeTopicPartitionsResponseInit["topics"][number];

/** The most partitions in one answer, whatever the request allows. */
const MAX_PARTITIONS = 2_000;
/** The version of Metadata that says the same, apart from the eligible leader replicas. */
const METADATA_VERSION = 12;

/**
 * Describes topics in the order of their names, up to a limit of partitions; the cursor says where the next answer goes
 * on. At least one partition is told, so that whoever follows the cursor arrives.
 */
export function describeTopicPartitionsResponse(
  image: ClusterImage,
  { topics, responsePartitionLimit, cursor }: DescribeTopicPartitionsRequest,
  listenerName: string,
): DescribeTopicPartitionsResponseInit {
  const asked = topics.length === 0 ? image.topicsByName.keys() : new Set(topics.map(({ name }) => name));
  const names = [...asked].filter((name) => cursor === null || name >= cursor.topicName).sort();
  let room = Math.max(1, Math.min(responsePartitionLimit, MAX_PARTITIONS));
  const described: TopicDescription[] = [];
  for (const name of names) {
    if (room === 0) return { topics: described, nextCursor: { topicName: name, partitionIndex: 0 } };
    const topic = describeTopic(image, name, listenerName);
    const from = name === cursor?.topicName ? Math.max(0, cursor.partitionIndex) : 0;
    const partitions = topic.partitions.slice(from, from + room);
    room -= partitions.length;
    described.push({ ...topic, partitions });
    const end = from + partitions.length;
    if (end < topic.partitions.length) {
      return { topics: described, nextCursor: { topicName: name, partitionIndex: end } };
    }
  }
  return { topics: described, nextCursor: null };
}

function describeTopic(image: ClusterImage, name: string, listenerName: string): TopicDescription {
  const request = {
    topics: [{ topicId: "", name }],
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: true,
  };
  const topic = metadataResponse(image, request, METADATA_VERSION, listenerName).topics[0]!;
  const partitions = image.topicNamed(name)?.partitions;
  return {
    ...topic,
    partitions: topic.partitions.map((partition) => {
      const { eligibleLeaderReplicas, lastKnownElr } = partitions![partition.partitionIndex]!;
      return { ...partition, offlineReplicas: partition.offlineReplicas ?? [], eligibleLeaderReplicas, lastKnownElr };
    }),
  };
}
