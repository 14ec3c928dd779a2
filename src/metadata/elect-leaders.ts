import type { ElectLeadersRequest, ElectLeadersResponseInit } from "../protocol/apis/43-elect-leaders.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import type { ClusterImage, Topic } from "./image.ts";
import { NO_LEADER } from "./partition.ts";
import type { Partition } from "./partition.ts";
import { changePartition } from "./partition-change.ts";
import { rulesOf } from "./partition-changes.ts";
import { partitionChangeRecord } from "./partition-records.ts";
import { distinct, errorFields, isRefused, refuse } from "./request-error.ts";
import type { RequestError } from "./request-error.ts";

/** The types of elections, by their numbers. */
const PREFERRED = 0;
const UNCLEAN = 1;

/** An election that may have given up acknowledged records. */
export interface UncleanElection {
  readonly topicName: string;
  readonly partition: Partition;
}

interface Decision {
  readonly records: readonly MetadataRecordInit[];
  readonly response: ElectLeadersResponseInit;
  /** To be noted, for somebody will ask where the records went (R13). */
  readonly unclean: readonly UncleanElection[];
}

/**
 * Elects the preferred leaders of partitions; or, where no complete copy is left, any replica that is there. The
 * second is the operator's act that R13 speaks of: it needs no configuration, and may lose acknowledged records.
 */
export function electLeaders(image: ClusterImage, request: ElectLeadersRequest): Decision {
  const { electionType, topicPartitions } = request;
  if (electionType !== PREFERRED && electionType !== UNCLEAN) {
    const response = { errorCode: errorCode("INVALID_REQUEST"), replicaElectionResults: [] };
    return { records: [], response, unclean: [] };
  }
  const elections = new Elections(image, electionType);
  const asked = topicPartitions ?? [...image.topics.values()].map(({ name, partitions }) => ({
    topic: name,
    partitions: [...partitions.keys()],
  }));
  const results = distinct(asked, ({ topic }) => topic).map(({ topic, partitions }) => ({
    topic,
    partitionResult: [...new Set(partitions)]
      .map((partitionId) => ({ partitionId, error: elections.hold(image.topicNamed(topic), partitionId) }))
      // Whoever asks for all partitions wants to hear of those that had need of it.
      .filter(({ error }) => topicPartitions !== null || error?.error !== "ELECTION_NOT_NEEDED")
      .map(({ partitionId, error }) => ({
        partitionId,
        ...(error === undefined ? { errorCode: 0, errorMessage: null } : errorFields(error)),
      })),
  }));
  const replicaElectionResults = results.filter(({ partitionResult }) => partitionResult.length > 0);
  return { records: elections.records, response: { replicaElectionResults }, unclean: elections.unclean };
}

class Elections {
  readonly records: MetadataRecordInit[] = [];
  readonly unclean: UncleanElection[] = [];
  readonly #image: ClusterImage;
  readonly #type: number;

  constructor(image: ClusterImage, type: number) {
    this.#image = image;
    this.#type = type;
  }

  hold(topic: Topic | undefined, partitionIndex: number): RequestError | undefined {
    const before = topic?.partitions[partitionIndex];
    if (topic === undefined) return refuse("UNKNOWN_TOPIC_OR_PARTITION", "no topic has that name");
    if (before === undefined) return refuse("UNKNOWN_TOPIC_OR_PARTITION", `there is no partition ${partitionIndex}`);
    const after = this.#type === PREFERRED ? this.#preferred(topic, before) : this.#anybody(topic, before);
    if (isRefused(after)) return after;
    this.records.push(partitionChangeRecord(before, after));
    return undefined;
  }

  #preferred(topic: Topic, before: Partition): Partition | RequestError {
    const preferred = before.replicas[0]!;
    if (before.leader === preferred) return refuse("ELECTION_NOT_NEEDED", `broker ${preferred} leads already`);
    const after = changePartition(before, { leader: preferred }, rulesOf(this.#image, topic.name));
    if (after?.leader === preferred) return after;
    const why = this.#image.isActive(preferred) ? "has not caught up yet" : "is away";
    return refuse("PREFERRED_LEADER_NOT_AVAILABLE", `broker ${preferred}, the preferred leader, ${why}`);
  }

  #anybody(topic: Topic, before: Partition): Partition | RequestError {
    const { leader, isr, eligibleLeaderReplicas } = before;
    if (leader !== NO_LEADER) return refuse("ELECTION_NOT_NEEDED", `broker ${leader} leads`);
    const after = changePartition(before, {}, { ...rulesOf(this.#image, topic.name), uncleanLeaderElection: true });
    if (after === undefined || after.leader === NO_LEADER) {
      return refuse("ELIGIBLE_LEADERS_NOT_AVAILABLE", "all tabs that hold a copy of the partition are away");
    }
    const isClean = isr.includes(after.leader) || eligibleLeaderReplicas.includes(after.leader);
    if (!isClean) this.unclean.push({ topicName: topic.name, partition: after });
    return after;
  }
}
