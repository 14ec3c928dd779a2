import type { AlterPartitionRequest, AlterPartitionResponseInit } from "../protocol/apis/56-alter-partition.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import type { ClusterImage } from "./image.ts";
import type { Partition } from "./partition.ts";
import { changePartition } from "./partition-change.ts";
import { rulesOf } from "./partition-changes.ts";
import { partitionChangeRecord } from "./partition-records.ts";

type TopicProposal = AlterPartitionRequest["topics"][number];
type Proposal = TopicProposal["partitions"][number];
type Answer = AlterPartitionResponseInit["topics"][number]["partitions"][number];

/**
 * Leaders propose in-sync replicas; the controller grants or refuses each proposal on its own (R9, KIP-497). A refused
 * one is told why by Kafka's code for it, and the leader goes back to what was granted last.
 */
export function alterPartition(
  image: ClusterImage,
  request: AlterPartitionRequest,
): { readonly records: readonly MetadataRecordInit[]; readonly response: AlterPartitionResponseInit } {
  const { brokerId, brokerEpoch } = request;
  if (image.brokers.get(brokerId)?.brokerEpoch !== brokerEpoch) {
    return { records: [], response: { errorCode: errorCode("STALE_BROKER_EPOCH"), topics: [] } };
  }
  const records: MetadataRecordInit[] = [];
  const changed = new Set<Partition>();
  const topics = request.topics.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map((proposal): Answer => {
      const before = image.partition(topicId, proposal.partitionIndex);
      const error = refusal(image, brokerId, topicId, before, proposal);
      if (error !== "NONE" || before === undefined) return refused(proposal.partitionIndex, error);
      if (changed.has(before)) return refused(proposal.partitionIndex, "INVALID_REQUEST");
      changed.add(before);
      const isr = proposal.newIsrWithEpochs.map((member) => member.brokerId);
      const rules = rulesOf(image, image.topics.get(topicId)!.name);
      const after = changePartition(before, { isr }, rules);
      if (after !== undefined) records.push(partitionChangeRecord(before, after));
      return granted(after ?? before);
    }),
  }));
  return { records, response: { errorCode: errorCode("NONE"), topics } };
}

/** R9: the checks in their order. */
function refusal(
  image: ClusterImage,
  brokerId: number,
  topicId: string,
  partition: Partition | undefined,
  proposal: Proposal,
): ErrorName {
  if (!image.topics.has(topicId)) return "UNKNOWN_TOPIC_ID";
  if (partition === undefined) return "UNKNOWN_TOPIC_OR_PARTITION";
  const { leaderEpoch, partitionEpoch } = proposal;
  if (leaderEpoch > partition.leaderEpoch || partitionEpoch > partition.partitionEpoch) return "NOT_CONTROLLER";
  if (leaderEpoch < partition.leaderEpoch) return "FENCED_LEADER_EPOCH";
  if (partitionEpoch < partition.partitionEpoch) return "INVALID_UPDATE_VERSION";
  if (partition.leader !== brokerId) return "INVALID_REQUEST";

  const members = new Set(proposal.newIsrWithEpochs.map((member) => member.brokerId));
  const isWellFormed =
    members.size === proposal.newIsrWithEpochs.length &&
    members.has(brokerId) &&
    [...members].every((member) => partition.replicas.includes(member));
  if (!isWellFormed) return "INVALID_REQUEST";
  return proposal.newIsrWithEpochs.every((member) => isEligible(image, partition, member))
    ? "NONE"
    : "INELIGIBLE_REPLICA";
}

/**
 * KIP-903: a replica joins in the broker epoch in which it caught up; one that has restarted since, perhaps empty, does
 * not. A leader that does not know the epoch (-1) may keep members, for those the controller drops itself.
 */
function isEligible(
  image: ClusterImage,
  partition: Partition,
  member: Proposal["newIsrWithEpochs"][number],
): boolean {
  if (!image.isActive(member.brokerId)) return false;
  if (member.brokerEpoch === -1) return partition.isr.includes(member.brokerId);
  return image.brokers.get(member.brokerId)?.brokerEpoch === member.brokerEpoch;
}

function granted(partition: Partition): Answer {
  const { partitionIndex, leader, leaderEpoch, isr, partitionEpoch } = partition;
  return { partitionIndex, errorCode: errorCode("NONE"), leaderId: leader, leaderEpoch, isr, partitionEpoch };
}

function refused(partitionIndex: number, error: ErrorName): Answer {
  return { partitionIndex, errorCode: errorCode(error), leaderId: -1, leaderEpoch: -1, isr: [], partitionEpoch: -1 };
}
