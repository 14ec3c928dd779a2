import { deleteRecords } from "../../protocol/apis/21-delete-records.ts";
import type { DeleteRecordsResponseInit } from "../../protocol/apis/21-delete-records.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import type { PartitionKey } from "../../log/stored-log.ts";
import { isInternalTopic } from "../../metadata/topic-name.ts";
import type { Broker } from "../broker.ts";
import type { Handler } from "../handle-request.ts";
import type { Delayed } from "../purgatory.ts";
import type { Replica } from "../replica.ts";

type TopicResponse = DeleteRecordsResponseInit["topics"][number];

/** What became of one partition: refused, or begun. */
type Outcome = { readonly error: ErrorName } | Deletion;

interface Deletion {
  readonly replica: Replica;
  readonly leaderEpoch: number;
  readonly offset: number;
  /** Whether this broker's own copy will come back from a restart without the records. */
  durable: boolean;
}

/** In place of the offset, for everything that is committed. */
const HIGH_WATERMARK = -1;

/**
 * Serves v0 to v2. The leader raises the start of its log, and answers once that is durable here and in every replica
 * that can be elected from the ISR; others join only when they have followed too (R8). So nothing that was answered for
 * comes back by a clean election, unless it is won by a copy of the ELR that was away all the while. What that one brings
 * back is there again, and others copy it.
 *
 * Batches stay whole: a log may start within one, and readers pass over what lies before.
 */
export const deleteRecordsHandler: Handler<typeof deleteRecords> = {
  api: deleteRecords,
  handle(broker, request, context, respond) {
    const begun = new Set<PartitionKey>();
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, offset }) => ({
        partitionIndex,
        outcome: begin(broker, begun, name, partitionIndex, offset),
      })),
    }));
    const outcomes = topics.flatMap(({ partitions }) => partitions.map(({ outcome }) => outcome));
    const answer = () =>
      respond({
        topics: topics.map(({ name, partitions }): TopicResponse => ({
          name,
          partitions: partitions.map(({ partitionIndex, outcome }) => ({ partitionIndex, ...result(outcome) })),
        })),
      });
    const delayed: Delayed = {
      keys: outcomes.flatMap((outcome) => ("error" in outcome ? [] : [outcome.replica.key])),
      deadlineMs: context.nowMs + Math.max(0, request.timeoutMs),
      tryComplete() {
        if (outcomes.some((outcome) => settled(outcome) === undefined)) return false;
        answer();
        return true;
      },
      expire: answer,
    };
    context.pending.abandoned = () => broker.purgatory.leave(delayed);
    broker.purgatory.enter(delayed, context.nowMs);
  },
};

function begin(
  broker: Broker,
  begun: Set<PartitionKey>,
  topicName: string,
  partitionIndex: number,
  requested: number,
): Outcome {
  if (isInternalTopic(topicName)) return { error: "INVALID_TOPIC_EXCEPTION" };
  const found = broker.leaderOf(topicName, partitionIndex);
  if ("error" in found) return found;
  const { replica, state } = found;
  // Each one costs a write.
  if (begun.has(replica.key)) return { error: "INVALID_REQUEST" };
  if (!replica.config.cleanupPolicy.includes("delete")) return { error: "POLICY_VIOLATION" };
  // A new leader may not know yet how far its predecessor had committed (R14).
  if (!state.hwMonotonicReady) return { error: "OFFSET_NOT_AVAILABLE" };
  const offset = requested === HIGH_WATERMARK ? state.highWatermark : requested;
  if (offset < 0 || offset > state.highWatermark) return { error: "OFFSET_OUT_OF_RANGE" };
  begun.add(replica.key);
  const deletion: Deletion = { replica, leaderEpoch: state.leaderEpoch, offset, durable: false };
  const operations = replica.log.deleteRecordsBefore(offset);
  // Deleted already, but perhaps not on the disk: what is written now comes after it.
  const written = operations.length > 0 ? operations : [replica.log.metadataOperation()];
  broker.write(replica, written, () => {
    deletion.durable = true;
    broker.purgatory.touch(replica.key);
  });
  broker.purgatory.touch(replica.key);
  return deletion;
}

/** The error to answer with, "NONE" for success, or undefined while the outcome is open. */
function settled(outcome: Outcome): ErrorName | undefined {
  if ("error" in outcome) return outcome.error;
  const { replica, leaderEpoch, offset, durable } = outcome;
  const { role } = replica;
  if (role.kind !== "leader" || role.state.leaderEpoch !== leaderEpoch) return "NOT_LEADER_OR_FOLLOWER";
  return durable && lowWatermark(replica) >= offset ? "NONE" : undefined;
}

function result(outcome: Outcome): { readonly lowWatermark: number; readonly errorCode: number } {
  const error = settled(outcome) ?? "REQUEST_TIMED_OUT";
  const isDone = error === "NONE" && !("error" in outcome);
  return { lowWatermark: isDone ? lowWatermark(outcome.replica) : -1, errorCode: errorCode(error) };
}

function lowWatermark({ role, log }: Replica): number {
  return role.kind === "leader" ? role.state.lowWatermark(log.logStartOffset) : -1;
}
