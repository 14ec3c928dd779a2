import type { MetadataRequest, MetadataResponseInit } from "../protocol/apis/03-metadata.ts";
import type { DescribeClusterRequest, DescribeClusterResponseInit } from "../protocol/apis/60-describe-cluster.ts";
import { authorizedOperations } from "../protocol/authorized-operations.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import { ZERO_UUID } from "../protocol/uuid.ts";
import type { BrokerRegistration, ClusterImage, Topic } from "./image.ts";
import { NO_LEADER } from "./partition.ts";
import type { Partition } from "./partition.ts";
import { distinct } from "./request-error.ts";
import { isInternalTopic, topicNameProblem } from "./topic-name.ts";

type TopicAnswer = MetadataResponseInit["topics"][number];
type PartitionAnswer = TopicAnswer["partitions"][number];
type AskedTopic = NonNullable<MetadataRequest["topics"]>[number];

/** From this version on an unknown listener has an error code of its own. */
const LISTENER_NOT_FOUND_SINCE = 6;
/** From this version on topics are asked for by id, for from then on an answer can tell of one without a name. */
const BY_ID_SINCE = 12;
/** The endpoint types of DescribeCluster. */
const BROKERS = 1;
const CONTROLLERS = 2;

/**
 * Answers Metadata from an image, with the endpoints that belong to the listener by which the question came. Brokers
 * that are fenced, or not on that listener, are not there for the asker. `controllerId` is the broker to send admin
 * requests to, which passes them on; by default the first one.
 */
export function metadataResponse(
  image: ClusterImage,
  request: MetadataRequest,
  version: number,
  listenerName: string,
  controllerId?: number,
): MetadataResponseInit {
  if (asksByIdTooEarly(request, version)) return refuseToFindById(request);
  const brokers = reachableBrokers(image, listenerName);
  const reachable = new Set(brokers.map(({ nodeId }) => nodeId));
  const describe = (topic: Topic) => describeTopic(image, topic, version, reachable);
  // An empty list asks for everything in version 0, and for nothing later.
  const asksForAll = request.topics === null || (version === 0 && request.topics.length === 0);
  const topics = asksForAll
    ? [...image.topics.values()].map(describe)
    : distinct(request.topics ?? [], ({ name, topicId }) => name ?? topicId).map((asked) => {
        const topic = asked.name === null ? image.topics.get(asked.topicId) : image.topicNamed(asked.name);
        return topic === undefined ? unknownTopic(asked) : describe(topic);
      });
  const topicOperations = { topicAuthorizedOperations: authorizedOperations.topic };
  const clusterOperations = { clusterAuthorizedOperations: authorizedOperations.cluster };
  return {
    brokers,
    clusterId: image.clusterId,
    controllerId: chosenController(brokers, controllerId),
    topics: request.includeTopicAuthorizedOperations
      ? topics.map((topic) => (topic.name === null ? topic : { ...topic, ...topicOperations }))
      : topics,
    ...(request.includeClusterAuthorizedOperations && clusterOperations),
  };
}

/** Whether the request has topic ids, which it may before they mean anything. Kafka refuses the whole request then. */
export function asksByIdTooEarly({ topics }: MetadataRequest, version: number): boolean {
  if (version >= BY_ID_SINCE || topics === null) return false;
  return topics.some(({ name, topicId }) => name === null || topicId !== ZERO_UUID);
}

function refuseToFindById({ topics }: MetadataRequest): MetadataResponseInit {
  const refused = { errorCode: errorCode("INVALID_REQUEST"), partitions: [] };
  return {
    brokers: [],
    topics: (topics ?? []).map(({ name, topicId }) => ({ ...refused, name: name ?? "", topicId })),
  };
}

/** Answers DescribeCluster like {@link metadataResponse}. */
export function describeClusterResponse(
  image: ClusterImage,
  request: DescribeClusterRequest,
  listenerName: string,
  controllerId?: number,
): DescribeClusterResponseInit {
  const { clusterId } = image;
  const { endpointType } = request;
  if (endpointType !== BROKERS) {
    return {
      errorCode: errorCode(endpointType === CONTROLLERS ? "MISMATCHED_ENDPOINT_TYPE" : "UNSUPPORTED_ENDPOINT_TYPE"),
      errorMessage: `only brokers are described, not endpoints of type ${endpointType}`,
      clusterId: "",
      brokers: [],
    };
  }
  const brokers = reachableBrokers(image, listenerName);
  return {
    errorCode: errorCode("NONE"),
    endpointType,
    clusterId,
    controllerId: chosenController(brokers, controllerId),
    brokers: brokers.map(({ nodeId, ...endpoint }) => ({ brokerId: nodeId, ...endpoint })),
    ...(request.includeClusterAuthorizedOperations && { clusterAuthorizedOperations: authorizedOperations.cluster }),
  };
}

interface ReachableBroker {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

function reachableBrokers(image: ClusterImage, listenerName: string): ReachableBroker[] {
  const brokers: ReachableBroker[] = [];
  for (const broker of image.brokers.values()) {
    const endpoint = broker.fenced ? undefined : endpointOf(broker, listenerName);
    if (endpoint === undefined) continue;
    brokers.push({ nodeId: broker.brokerId, host: endpoint.host, port: endpoint.port, rack: broker.rack });
  }
  return brokers;
}

/** Where those brokers are, as answers about a new leader name them (KIP-951). */
export function nodeEndpoints(
  image: ClusterImage,
  nodeIds: readonly number[],
  listenerName: string,
): readonly ReachableBroker[] {
  if (nodeIds.length === 0) return [];
  const wanted = new Set(nodeIds);
  return reachableBrokers(image, listenerName).filter(({ nodeId }) => wanted.has(nodeId));
}

export function endpointOf(broker: BrokerRegistration, listenerName: string) {
  return broker.listeners.find(({ name }) => name === listenerName);
}

function chosenController(brokers: readonly ReachableBroker[], wished: number | undefined): number {
  const isThere = brokers.some(({ nodeId }) => nodeId === wished);
  return isThere ? wished! : (brokers[0]?.nodeId ?? -1);
}

function describeTopic(
  image: ClusterImage,
  topic: Topic,
  version: number,
  reachable: ReadonlySet<number>,
): TopicAnswer {
  return {
    errorCode: errorCode("NONE"),
    name: topic.name,
    topicId: topic.topicId,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.map((partition) => describePartition(image, partition, version, reachable)),
  };
}

function describePartition(
  image: ClusterImage,
  partition: Partition,
  version: number,
  reachable: ReadonlySet<number>,
): PartitionAnswer {
  const { partitionIndex, leader, leaderEpoch, replicas, isr } = partition;
  let error: ErrorName = "NONE";
  if (leader === NO_LEADER) error = "LEADER_NOT_AVAILABLE";
  else if (!reachable.has(leader)) {
    error = version >= LISTENER_NOT_FOUND_SINCE ? "LISTENER_NOT_FOUND" : "LEADER_NOT_AVAILABLE";
  }
  return {
    errorCode: errorCode(error),
    partitionIndex,
    leaderId: error === "NONE" ? leader : NO_LEADER,
    leaderEpoch,
    replicaNodes: replicas,
    isrNodes: isr,
    offlineReplicas: replicas.filter((node) => image.brokers.get(node)?.fenced ?? true),
  };
}

function unknownTopic({ name, topicId }: AskedTopic): TopicAnswer {
  const isInvalid = name !== null && topicNameProblem(name) !== undefined;
  const error = name === null
    ? "UNKNOWN_TOPIC_ID"
    : isInvalid ? "INVALID_TOPIC_EXCEPTION" : "UNKNOWN_TOPIC_OR_PARTITION";
  return { errorCode: errorCode(error), name, topicId: name === null ? topicId : ZERO_UUID, partitions: [] };
}
