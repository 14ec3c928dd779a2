import { fetch } from "../protocol/apis/01-fetch.ts";
import { metadata } from "../protocol/apis/03-metadata.ts";
import { apiVersions } from "../protocol/apis/18-api-versions.ts";
import { createTopics } from "../protocol/apis/19-create-topics.ts";
import { deleteTopics } from "../protocol/apis/20-delete-topics.ts";
import { describeConfigs } from "../protocol/apis/32-describe-configs.ts";
import { alterConfigs } from "../protocol/apis/33-alter-configs.ts";
import { createPartitions } from "../protocol/apis/37-create-partitions.ts";
import { electLeaders } from "../protocol/apis/43-elect-leaders.ts";
import type { ElectLeadersRequest, ElectLeadersResponseInit } from "../protocol/apis/43-elect-leaders.ts";
import { incrementalAlterConfigs } from "../protocol/apis/44-incremental-alter-configs.ts";
import { alterPartitionReassignments } from "../protocol/apis/45-alter-partition-reassignments.ts";
import { listPartitionReassignments } from "../protocol/apis/46-list-partition-reassignments.ts";
import { alterPartition } from "../protocol/apis/56-alter-partition.ts";
import { fetchSnapshot } from "../protocol/apis/59-fetch-snapshot.ts";
import { describeCluster } from "../protocol/apis/60-describe-cluster.ts";
import { brokerRegistration } from "../protocol/apis/62-broker-registration.ts";
import type {
  BrokerRegistrationRequest,
  BrokerRegistrationResponseInit,
} from "../protocol/apis/62-broker-registration.ts";
import { brokerHeartbeat } from "../protocol/apis/63-broker-heartbeat.ts";
import { allocateProducerIds } from "../protocol/apis/67-allocate-producer-ids.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import type { Api, Request, ResponseInit } from "../protocol/schema.ts";
import { alterConfigs as changeConfigs, replaceConfigs } from "./alter-configs.ts";
import { alterPartition as decideIsr } from "./alter-partition.ts";
import type { ConnectionId } from "./broker-sessions.ts";
import { fence, forget } from "./controller-state.ts";
import type { ControllerState } from "./controller-state.ts";
import { createPartitions as addPartitions } from "./create-partitions.ts";
import { createTopics as addTopics } from "./create-topics.ts";
import { deleteTopics as removeTopics } from "./delete-topics.ts";
import { describeConfigsResponse } from "./describe-configs.ts";
import { electLeaders as holdElections } from "./elect-leaders.ts";
import { fetchSnapshotPiece } from "./fetch-metadata.ts";
import { heartbeat } from "./heartbeats.ts";
import { TOPIC_RESOURCE } from "./image.ts";
import type { BrokerRegistration } from "./image.ts";
import { withKafkaEndpoint } from "./kafka-endpoint.ts";
import { KAFKA_LISTENER } from "./listener-names.ts";
import { describeClusterResponse, endpointOf, metadataResponse } from "./metadata-response.ts";
import { changePartitions } from "./partition-changes.ts";
import { allocateProducerIds as takeBlock } from "./producer-ids.ts";
import { alterReassignments, listReassignments } from "./reassignments.ts";
import { emptyBrokers, identify, registerBroker } from "./registration.ts";
import { REPLICATION_FACTOR } from "./topic-config.ts";

/** Who asks, and in which version. */
export interface Asker {
  readonly connectionId: ConnectionId;
  readonly version: number;
}

interface ControllerApi<A extends Api> {
  readonly api: A;
  /** Decides, through the state, and answers. */
  answer(state: ControllerState, request: Request<A>, asker: Asker): ResponseInit<A>;
}

/** An API with its types forgotten: what a table can hold. `answer` takes what the api's own codec has decoded. */
export interface AnyControllerApi {
  readonly api: Api;
  answer(state: ControllerState, request: unknown, asker: Asker): unknown;
}

function serve<A extends Api>(
  api: A,
  answer: (state: ControllerState, request: Request<A>, asker: Asker) => ResponseInit<A>,
): AnyControllerApi {
  return { api, answer } satisfies ControllerApi<A> as AnyControllerApi;
}

/** A pure decision: records to commit, and what to answer once they are durable. */
interface Decision<R> {
  readonly records: readonly MetadataRecordInit[];
  readonly response: R;
}

function committed<R>(state: ControllerState, { records, response }: Decision<R>): R {
  state.commit(records);
  return response;
}

/**
 * Commits configurations, and then what they mean for partitions: a lower minimum empties ELRs (R10), an allowed
 * unclean election may find a leader, and a replication factor set for a topic holds for all of its partitions.
 */
function configured<R>(state: ControllerState, decision: Decision<R>): R {
  const { image } = state;
  const response = committed(state, decision);
  const newTargets = new Set<string>();
  for (const record of decision.records) {
    if (record.type !== "ConfigRecord" || record.resourceType !== TOPIC_RESOURCE) continue;
    const topicId = image.topicsByName.get(record.resourceName);
    if (record.name === REPLICATION_FACTOR && topicId !== undefined) newTargets.add(topicId);
  }
  state.commit(changePartitions(image, ({ topicId }) => (newTargets.has(topicId) ? { replicationFactor: 0 } : {})));
  return response;
}

function elect(state: ControllerState, request: ElectLeadersRequest): ElectLeadersResponseInit {
  const decision = holdElections(state.image, request);
  for (const { topicName, partition } of decision.unclean) {
    const what = `${topicName}-${partition.partitionIndex}`;
    state.note("warn", `broker ${partition.leader} leads ${what} as asked for, and may lack acknowledged records`);
  }
  return committed(state, decision);
}

/** What the controller answers at once; Fetch, which may wait, is the controller's own. */
const served: readonly AnyControllerApi[] = [
  serve(metadata, (state, request, { version }) =>
    metadataResponse(state.image, request, version, state.config.listenerName),
  ),
  serve(apiVersions, () => ({ errorCode: errorCode("NONE"), apiKeys: controllerApiKeys })),
  serve(createTopics, (state, request) =>
    committed(state, addTopics(state.image, request, state.random, state.config)),
  ),
  serve(deleteTopics, (state, request) => committed(state, removeTopics(state.image, request))),
  serve(describeConfigs, (state, request) => describeConfigsResponse(state.image, request)),
  serve(createPartitions, (state, request) => committed(state, addPartitions(state.image, request, state.config))),
  serve(alterConfigs, (state, request) => configured(state, replaceConfigs(state.image, request))),
  serve(electLeaders, elect),
  serve(incrementalAlterConfigs, (state, request) => configured(state, changeConfigs(state.image, request))),
  serve(alterPartitionReassignments, (state, request) =>
    committed(state, alterReassignments(state.image, request)),
  ),
  serve(listPartitionReassignments, (state, request) => listReassignments(state.image, request)),
  serve(alterPartition, (state, request) => committed(state, decideIsr(state.image, request))),
  serve(fetchSnapshot, (state, request) =>
    fetchSnapshotPiece(
      {
        log: state.log,
        clusterId: state.image.clusterId,
        controllerEpoch: state.controllerEpoch,
        maxFetchBytes: state.config.maxFetchBytes,
      },
      request,
    ),
  ),
  serve(describeCluster, (state, request) =>
    describeClusterResponse(state.image, request, state.config.listenerName),
  ),
  serve(brokerRegistration, register),
  serve(brokerHeartbeat, (state, request, { connectionId }) => heartbeat(state, connectionId, request)),
  serve(allocateProducerIds, (state, request) => committed(state, takeBlock(state.image, request))),
];

export const controllerApis: ReadonlyMap<number, AnyControllerApi> = new Map(
  served.map((entry) => [entry.api.key, entry]),
);

/** The controller's answer to ApiVersions. */
export const controllerApiKeys: readonly { apiKey: number; minVersion: number; maxVersion: number }[] = [
  fetch,
  ...served.map(({ api }) => api),
]
  .map(({ key, versions }) => ({ apiKey: key, minVersion: versions[0], maxVersion: versions[1] }))
  .sort((left, right) => left.apiKey - right.apiKey);

/** R12: the epoch that a broker had is fenced before another one is granted, and never under a live broker. */
function register(
  state: ControllerState,
  request: BrokerRegistrationRequest,
  { connectionId }: Asker,
): BrokerRegistrationResponseInit {
  const { image, sessions } = state;
  const identity = identify(image, state.controllerEpoch, request);
  if (identity.kind === "refused") {
    state.note("warn", `a registration is refused: ${identity.reason}`);
    return refused(identity.error);
  }
  const missingPlaces = identity.kind === "new" ? image.brokers.size + 1 - state.config.maxBrokers : 0;
  const replaced = missingPlaces > 0 ? longestGone(state).slice(0, missingPlaces) : [];
  if (replaced.length < missingPlaces) {
    state.note("warn", `a registration is refused: the cluster has its ${state.config.maxBrokers} brokers`);
    return refused("POLICY_VIOLATION");
  }
  const previous = identity.kind === "known" ? image.brokers.get(identity.directory.brokerId) : undefined;
  if (previous !== undefined && !previous.fenced) {
    // The same process may start over; another one with the same storage may be a copy of a live broker.
    const isSameProcess =
      previous.incarnationId === request.incarnationId || sessions.isBound(previous.brokerId, connectionId);
    if (!isSameProcess) return refused("DUPLICATE_BROKER_REGISTRATION");
    fence(state, previous, "it registers anew");
  }
  const { kafkaListener } = state.config;
  const { records, broker } = registerBroker(image, request, identity, (brokerId) =>
    withKafkaEndpoint(request.listeners, kafkaListener, brokerId),
  );
  if (kafkaListener !== undefined && endpointOf(broker, KAFKA_LISTENER) === undefined) {
    const { basePort } = kafkaListener;
    state.note("warn", `broker ${broker.brokerId} gets no Kafka port: there is none so far above ${basePort}`);
  }
  state.commit(records);
  // Not before there is a higher id than theirs: one of them may have the highest.
  for (const gone of replaced) forget(state, gone, "the cluster is full, and another broker takes its place");
  sessions.registered(broker.brokerId, connectionId, state.nowMs);
  state.note("info", `broker ${broker.brokerId} is registered with epoch ${broker.brokerEpoch}`);
  return {
    errorCode: errorCode("NONE"),
    brokerEpoch: broker.brokerEpoch,
    brokerId: broker.brokerId,
    generation: request.generation + 1,
  };
}

/** Who can make room, the longest gone first. None has to be so for long, which a new controller would not know of. */
function longestGone({ image, sessions, nowMs }: ControllerState): readonly BrokerRegistration[] {
  const sinceMs = ({ brokerId }: BrokerRegistration) => sessions.goneSinceMs(brokerId) ?? nowMs;
  return emptyBrokers(image, (brokerId) => !sessions.isConnected(brokerId)).toSorted(
    (left, right) => sinceMs(left) - sinceMs(right) || left.brokerId - right.brokerId,
  );
}

function refused(error: ErrorName): BrokerRegistrationResponseInit {
  return { errorCode: errorCode(error), brokerEpoch: -1 };
}
