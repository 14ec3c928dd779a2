import type { AssignedPartition } from "../assigned-partition.ts";
import { sleep } from "../backoff.ts";
import { KafkaJSProtocolError } from "../errors.ts";
import { consumerEvents } from "../events.ts";
import type { Emitter } from "../events.ts";
import { nameOf } from "../fetch-position.ts";
import type { FetchPosition, TopicPartition } from "../fetch-position.ts";
import { groupBy } from "../group-by.ts";
import type { CoordinatorLink } from "./coordinator-link.ts";
import type { Identity } from "./group-membership.ts";
import { offsetCommit } from "../../protocol/apis/08-offset-commit.ts";
import type { OffsetCommitResponse } from "../../protocol/apis/08-offset-commit.ts";
import { offsetFetch } from "../../protocol/apis/09-offset-fetch.ts";
import { errorName } from "../../protocol/error-codes.ts";

/** An offset to commit: behind the last message that was processed. */
export interface OffsetToCommit extends TopicPartition {
  readonly offset: number;
  /** -1 if it is not known. */
  readonly leaderEpoch: number;
  readonly metadata: string | null;
}

/** KafkaJS's form of offsets. */
export interface OffsetsByTopicPartition {
  topics: { topic: string; partitions: { partition: number; offset: string }[] }[];
}

const EPOCH_PAUSE_MS = 20;
const EPOCH_PATIENCE_MS = 3_000;

/** What a group has committed, at its coordinator. Commits go one after another, so that none overtakes a newer one. */
export class CommittedOffsets {
  readonly #link: CoordinatorLink;
  readonly #emitter: Emitter;
  #last: Promise<unknown> = Promise.resolve();

  constructor(link: CoordinatorLink, emitter: Emitter) {
    this.#link = link;
    this.#emitter = emitter;
  }

  /**
   * Commits as the member that `identify` names when it is this commit's turn, or, without a member id, from outside
   * of the group. Throws the first error that a partition is answered with, and UNKNOWN_MEMBER_ID if the member is
   * removed before.
   */
  commit(offsets: () => readonly OffsetToCommit[], identify: () => Identity): Promise<void> {
    const asked = identify();
    const done = this.#last.then(() => this.#commit(offsets(), asked, identify));
    this.#last = done.catch(() => {});
    return done;
  }

  /** Resolves when what has been asked for by now is committed, or is not going to be. */
  get settled(): Promise<unknown> {
    return this.#last;
  }

  /**
   * Commits behind what is on its way already, without waiting for that or for an answer: for a member that is about to
   * be gone.
   */
  commitLast(offsets: readonly OffsetToCommit[], identity: Identity): Promise<unknown> {
    if (offsets.length === 0) return Promise.resolve();
    return this.#link.ask(offsetCommit, this.#body(offsets, identity), {
      purpose: this.#link.parting,
      errorOf: firstError,
    });
  }

  /** The committed positions of partitions, in their order; undefined where there is none. */
  async fetch(partitions: readonly TopicPartition[]): Promise<(FetchPosition | undefined)[]> {
    const { groupId } = this.#link;
    const topics = [...groupBy(partitions, ({ topic }) => topic)].map(([name, group]) => ({
      name,
      partitionIndexes: group.map(({ partition }) => partition),
    }));
    const { groups } = await this.#link.persist(offsetFetch, { groups: [{ groupId, topics }] }, {
      errorOf: (response) => response.groups[0]?.errorCode ?? -1,
    });
    return partitions.map((where) => {
      const answer = groups[0]!.topics
        .find(({ name }) => name === where.topic)
        ?.partitions.find(({ partitionIndex }) => partitionIndex === where.partition);
      const error = errorName(answer?.errorCode ?? -1);
      if (answer === undefined || error !== "NONE") throw new KafkaJSProtocolError(error, nameOf(where));
      if (answer.committedOffset < 0) return undefined;
      return { offset: answer.committedOffset, lastFetchedEpoch: answer.committedLeaderEpoch };
    });
  }

  /**
   * A member epoch is stale when the coordinator has counted it up and the heartbeat that says so is not here yet: then
   * the same is committed with the newer one. Not by a member that was removed meanwhile and has joined again, for
   * somebody else may have read, and committed, further.
   */
  async #commit(offsets: readonly OffsetToCommit[], asked: Identity, identify: () => Identity): Promise<void> {
    if (offsets.length === 0) return;
    const { clock, groupId } = this.#link;
    const deadline = clock.now() + EPOCH_PATIENCE_MS;
    for (;;) {
      const identity = identify();
      if (identity.memberId !== asked.memberId || identity.life !== asked.life) {
        const removed = `The member was removed from group ${groupId} before its offsets were committed`;
        throw new KafkaJSProtocolError("UNKNOWN_MEMBER_ID", removed);
      }
      try {
        return await this.#commitAs(identity, offsets);
      } catch (error) {
        const isStale = error instanceof KafkaJSProtocolError && error.type === "STALE_MEMBER_EPOCH";
        if (!isStale || clock.now() >= deadline) throw error;
        while (identify().generationId === identity.generationId && clock.now() < deadline) {
          await sleep(clock, EPOCH_PAUSE_MS);
        }
      }
    }
  }

  async #commitAs(identity: Identity, offsets: readonly OffsetToCommit[]): Promise<void> {
    const { memberId, generationId } = identity;
    const asking = { purpose: "offsets", errorOf: firstError } as const;
    await this.#link.persist(offsetCommit, this.#body(offsets, identity), asking);
    this.#emitter.emit(consumerEvents.COMMIT_OFFSETS, () => ({
      groupId: this.#link.groupId,
      memberId,
      groupGenerationId: generationId,
      topics: offsetsByTopic(offsets).topics,
    }));
  }

  #body(offsets: readonly OffsetToCommit[], { memberId, generationId, groupInstanceId }: Identity) {
    const topics = [...groupBy(offsets, ({ topic }) => topic)].map(([name, group]) => ({
      name,
      partitions: group.map(({ partition, offset, leaderEpoch, metadata }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: leaderEpoch,
        committedMetadata: metadata,
      })),
    }));
    return {
      groupId: this.#link.groupId,
      generationIdOrMemberEpoch: generationId,
      memberId,
      groupInstanceId: memberId === "" ? null : groupInstanceId,
      topics,
    };
  }
}

function firstError({ topics }: OffsetCommitResponse): number {
  const codes = topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
  return codes.find((code) => code !== 0) ?? 0;
}

export function offsetsByTopic(
  offsets: readonly (TopicPartition & { readonly offset: number })[],
): OffsetsByTopicPartition {
  const topics = [...groupBy(offsets, ({ topic }) => topic)].map(([topic, group]) => ({
    topic,
    partitions: group.map(({ partition, offset }) => ({ partition, offset: String(offset) })),
  }));
  return { topics };
}

/** What was processed of a partition and is not committed yet. */
export function uncommitted({ topic, partition, consumed, committed }: AssignedPartition): OffsetToCommit[] {
  if (consumed === undefined || consumed.offset === committed) return [];
  return [{ topic, partition, offset: consumed.offset, leaderEpoch: consumed.lastFetchedEpoch, metadata: null }];
}
