import type {
  AlterPartitionReassignmentsOptions,
  ListPartitionReassignmentsOptions,
  OngoingTopicReassignment,
} from "../admin-types.ts";
import { askController, throwRefused } from "./admin-environment.ts";
import type { AdminEnvironment } from "./admin-environment.ts";
import { KafkaJSAggregateError, KafkaJSAlterPartitionReassignmentsError, KafkaJSNonRetriableError } from "../errors.ts";
import { alterPartitionReassignments } from "../../protocol/apis/45-alter-partition-reassignments.ts";
import { listPartitionReassignments } from "../../protocol/apis/46-list-partition-reassignments.ts";
import { errorName } from "../../protocol/error-codes.ts";

/** The admin client's calls about which brokers hold a partition, which the controller answers (KIP-455). */
export class ReassignmentAdmin {
  readonly #environment: AdminEnvironment;

  constructor(environment: AdminEnvironment) {
    this.#environment = environment;
  }

  async alter({ topics, timeout }: AlterPartitionReassignmentsOptions): Promise<void> {
    refuseRepeated(topics);
    const timeoutMs = timeout ?? this.#environment.cluster.requestTimeoutMs;
    const body = {
      timeoutMs,
      topics: topics.map(({ topic, partitionAssignment }) => ({
        name: topic,
        partitions: partitionAssignment.map(({ partition, replicas }) => ({
          partitionIndex: partition,
          replicas: replicas === null ? null : [...replicas],
        })),
      })),
    };
    const response = await askController(this.#environment, alterPartitionReassignments, body, timeoutMs);
    throwRefused([{ what: "The reassignment", ...response }]);
    const failures = response.responses.flatMap(({ name, partitions }) =>
      partitions.flatMap(({ partitionIndex, errorCode, errorMessage }) => {
        const error = errorName(errorCode);
        if (error === "NONE") return [];
        return [new KafkaJSAlterPartitionReassignmentsError(error, name, partitionIndex, errorMessage)];
      }),
    );
    if (failures.length > 0) throw new KafkaJSAggregateError("Errors altering partition reassignments", failures);
  }

  async list({ topics, timeout }: ListPartitionReassignmentsOptions): Promise<{ topics: OngoingTopicReassignment[] }> {
    refuseRepeated(topics ?? []);
    const timeoutMs = timeout ?? this.#environment.cluster.requestTimeoutMs;
    const asked = topics?.map(({ topic, partitions }) => ({ name: topic, partitionIndexes: [...partitions] })) ?? null;
    const response = await askController(
      this.#environment,
      listPartitionReassignments,
      { timeoutMs, topics: asked },
      timeoutMs,
    );
    throwRefused([{ what: "The list of reassignments", ...response }]);
    return {
      topics: response.topics.map(({ name, partitions }) => ({
        topic: name,
        partitions: partitions.map(({ partitionIndex, replicas, addingReplicas, removingReplicas }) => ({
          partitionIndex,
          replicas,
          addingReplicas,
          removingReplicas,
        })),
      })),
    };
  }
}

function refuseRepeated(topics: readonly { readonly topic: string }[]): void {
  const names = topics.map(({ topic }) => topic);
  const repeated = names.find((name, at) => names.indexOf(name) !== at);
  if (repeated !== undefined) throw new KafkaJSNonRetriableError(`Topic ${repeated} is named twice; name it once`);
}
