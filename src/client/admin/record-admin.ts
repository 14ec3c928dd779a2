import type { SeekEntry } from "../admin-types.ts";
import { topicNamed } from "./admin-environment.ts";
import type { AdminEnvironment } from "./admin-environment.ts";
import { retryPause, sleep } from "../backoff.ts";
import {
  asError,
  isRetriableError,
  KafkaJSDeleteTopicRecordsError,
  KafkaJSNonRetriableError,
  KafkaJSProtocolError,
} from "../errors.ts";
import type { RefusedDeletion } from "../errors.ts";
import { nameOf, wholeNumber } from "../fetch-position.ts";
import type { TopicPartition } from "../fetch-position.ts";
import { groupBy } from "../group-by.ts";
import { lookUpOffsets } from "../offset-lookup.ts";
import type { OffsetAnswer } from "../offset-lookup.ts";
import { deleteRecords } from "../../protocol/apis/21-delete-records.ts";
import { errorName } from "../../protocol/error-codes.ts";

/** The admin client's calls about the records of partitions, which their leaders answer. */
export class RecordAdmin {
  readonly #environment: AdminEnvironment;

  constructor(environment: AdminEnvironment) {
    this.#environment = environment;
  }

  /** The first offset from `timestamp` on in every partition of a topic, in order; -1 where there is none. */
  offsets(topic: string, timestamp: number): Promise<OffsetAnswer[]> {
    const { cluster, connections, retry: policy } = this.#environment;
    const questions = topicNamed(this.#environment, topic).partitions.map(({ partitionIndex }) => ({
      topic,
      partition: partitionIndex,
      timestamp,
    }));
    const deadline = cluster.clock.now() + cluster.requestTimeoutMs;
    return lookUpOffsets(cluster, connections, questions, { policy, deadline });
  }

  async delete(topic: string, partitions: readonly SeekEntry[]): Promise<void> {
    const { cluster, retry } = this.#environment;
    const { clock, platform, requestTimeoutMs } = cluster;
    if (partitions.length === 0) throw new KafkaJSNonRetriableError(`No partitions of topic ${topic} are named`);
    for (const { partition, offset } of partitions) checkOffset(offset, { topic, partition });
    topicNamed(this.#environment, topic);
    const deadline = clock.now() + requestTimeoutMs;
    let open = partitions;
    for (let attempt = 0; open.length > 0; attempt++) {
      const refused = await this.#deleteOnce(topic, open, Math.ceil(Math.max(1, deadline - clock.now())));
      if (refused.length === 0) return;
      const pause = retryPause(retry, attempt, platform.random());
      const isFinal = attempt >= retry.retries || clock.now() + pause > deadline;
      if (isFinal || refused.some(({ error }) => !isRetriableError(error))) {
        throw new KafkaJSDeleteTopicRecordsError(topic, refused);
      }
      open = refused;
      await sleep(clock, pause);
    }
  }

  async #deleteOnce(topic: string, entries: readonly SeekEntry[], timeoutMs: number): Promise<RefusedDeletion[]> {
    const { cluster } = this.#environment;
    const byLeader = groupBy(entries, ({ partition }) => cluster.leaderOf(topic, partition)?.nodeId);
    const refused = [...byLeader].map(async ([nodeId, group]): Promise<RefusedDeletion[]> => {
      try {
        return await this.#askLeader(nodeId, topic, group, timeoutMs);
      } catch (error) {
        return group.map((entry) => ({ ...entry, error: asError(error) }));
      }
    });
    return (await Promise.all(refused)).flat();
  }

  async #askLeader(
    nodeId: number | undefined,
    topic: string,
    entries: readonly SeekEntry[],
    timeoutMs: number,
  ): Promise<RefusedDeletion[]> {
    const { cluster, connections } = this.#environment;
    if (nodeId === undefined) {
      throw new KafkaJSProtocolError("LEADER_NOT_AVAILABLE", nameOf({ topic, partition: entries[0]!.partition }));
    }
    const partitions = entries.map(({ partition, offset }) => ({ partitionIndex: partition, offset: Number(offset) }));
    const { topics } = await connections
      .to(nodeId, "query")
      .request(
        deleteRecords,
        { topics: [{ name: topic, partitions }], timeoutMs },
        timeoutMs + cluster.requestTimeoutMs,
      );
    const answers = new Map(topics[0]?.partitions.map((answer) => [answer.partitionIndex, answer.errorCode]));
    return entries.flatMap((entry) => {
      const error = errorName(answers.get(entry.partition) ?? -1);
      if (error === "NONE") return [];
      const detail = `The records before offset ${entry.offset} of ${nameOf({ topic, partition: entry.partition })}`;
      return [{ ...entry, error: new KafkaJSProtocolError(error, detail) }];
    });
  }
}

function checkOffset(offset: string, where: TopicPartition): void {
  if (Number(offset) !== -1) wholeNumber(offset, "offset", where, ": the first to keep, or -1 to keep none");
}
