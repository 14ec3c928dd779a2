import type { ControllerEffect, ControllerEvent } from "../../src/metadata/controller.ts";
import type { ClusterImage } from "../../src/metadata/image.ts";
import type { Partition } from "../../src/metadata/partition.ts";
import { alterPartition } from "../../src/protocol/apis/56-alter-partition.ts";
import type { AlterPartitionRequest } from "../../src/protocol/apis/56-alter-partition.ts";
import { decodeCorrelationId, decodeRequest, decodeRequestHeader, decodeResponse } from "../../src/protocol/envelope.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import { fail } from "./oracle-context.ts";
import type { OracleContext } from "./oracle-context.ts";

type Proposal = AlterPartitionRequest["topics"][number]["partitions"][number];

interface Expected {
  readonly version: number;
  readonly request: AlterPartitionRequest;
  /** By topic and partition. */
  readonly errors: ReadonlyMap<string, ErrorName>;
}

/**
 * Judges every AlterPartition from outside: what the request says against what held when it came, in the order of R9,
 * and the controller's answer against that.
 */
export class IsrDecisions {
  readonly #context: OracleContext;
  readonly #expected = new Map<string, Expected>();

  constructor(context: OracleContext) {
    this.#context = context;
  }

  /** To be called with the partitions as they were when the request came. */
  asked(
    { connectionId, frame }: Extract<ControllerEvent, { readonly type: "request" }>,
    image: ClusterImage,
    before: (key: string) => Partition | undefined,
  ): void {
    if ((frame[0]! << 8) + frame[1]! !== alterPartition.key) return;
    const header = decodeRequestHeader(frame);
    const request = decodeRequest(alterPartition, header);
    const errors = new Map<string, ErrorName>();
    if (image.brokers.get(request.brokerId)?.brokerEpoch === request.brokerEpoch) {
      for (const { topicId, partitions } of request.topics) {
        for (const proposal of partitions) {
          const key = `${topicId}/${proposal.partitionIndex}`;
          const isKnown = image.topics.has(topicId);
          errors.set(key, isKnown ? refusal(image, request.brokerId, before(key), proposal) : "UNKNOWN_TOPIC_ID");
        }
      }
    }
    const { apiVersion: version, correlationId } = header;
    this.#expected.set(`${connectionId}/${correlationId}`, { version, request, errors });
  }

  answered(effects: readonly ControllerEffect[]): void {
    if (this.#expected.size === 0) return;
    for (const effect of effects) {
      if (effect.type !== "send") continue;
      const key = `${effect.connectionId}/${decodeCorrelationId(effect.frame)}`;
      const expected = this.#expected.get(key);
      if (expected === undefined) continue;
      this.#expected.delete(key);
      this.#judge(expected, effect.frame);
    }
  }

  #judge({ version, request, errors }: Expected, frame: Uint8Array): void {
    const { body } = decodeResponse(alterPartition, version, frame);
    const error = errorName(body.errorCode);
    if (error !== "NONE") {
      this.#context.mark(`AlterPartition refused: ${error}`);
      if (errors.size > 0) fail("isr-decision", `broker ${request.brokerId} is current, and refused: ${error}`);
      return;
    }
    for (const { topicId, partitions } of body.topics) {
      for (const { partitionIndex, errorCode } of partitions) {
        const found = errorName(errorCode);
        const due = errors.get(`${topicId}/${partitionIndex}`) ?? "STALE_BROKER_EPOCH";
        if (found !== "NONE") this.#context.mark(`AlterPartition refused: ${found}`);
        if (found === due) continue;
        const label = this.#context.names.labelOf(topicId, partitionIndex);
        fail("isr-decision", `broker ${request.brokerId} is told ${found} about ${label}, where ${due} is due`);
      }
    }
  }
}

function refusal(
  image: ClusterImage,
  brokerId: number,
  partition: Partition | undefined,
  { leaderEpoch, partitionEpoch, newIsrWithEpochs }: Proposal,
): ErrorName {
  if (partition === undefined) return "UNKNOWN_TOPIC_OR_PARTITION";
  if (leaderEpoch > partition.leaderEpoch || partitionEpoch > partition.partitionEpoch) return "NOT_CONTROLLER";
  if (leaderEpoch < partition.leaderEpoch) return "FENCED_LEADER_EPOCH";
  if (partitionEpoch < partition.partitionEpoch) return "INVALID_UPDATE_VERSION";
  const nodes = newIsrWithEpochs.map((member) => member.brokerId);
  const isWellFormed = new Set(nodes).size === nodes.length && nodes.every((node) => partition.replicas.includes(node));
  if (partition.leader !== brokerId || !isWellFormed || !nodes.includes(brokerId)) return "INVALID_REQUEST";
  for (const member of newIsrWithEpochs) {
    const isCurrent = image.brokers.get(member.brokerId)?.brokerEpoch === member.brokerEpoch;
    const isKept = member.brokerEpoch === -1 && partition.isr.includes(member.brokerId);
    if (!image.isActive(member.brokerId) || !(isCurrent || isKept)) return "INELIGIBLE_REPLICA";
  }
  return "NONE";
}
