import type { Assigner, AssignerSubscription, PartitionAssigner } from "./assigner.ts";
import { partitionsIn, readSubscription, topicsOf } from "./assigner-protocol.ts";
import { nameOf } from "../fetch-position.ts";
import type { TopicPartition } from "../fetch-position.ts";
import { encodeAssignment, encodeSubscription } from "../../protocol/consumer-protocol.ts";
import type { Subscription } from "../../protocol/consumer-protocol.ts";

/** A member that wants partitions, and what it says it has. */
export interface Candidate {
  readonly memberId: string;
  readonly topics: ReadonlySet<string>;
  readonly owned: readonly TopicPartition[];
  /** The generation in which it had `owned`; -1 for none. */
  readonly generationId: number;
}

export interface TopicSize {
  readonly topic: string;
  readonly partitionCount: number;
}

/**
 * Divides all partitions of `topics` among candidates that want them. Both come in an order that lasts, so that equal
 * groups are divided equally.
 */
export type Divide = (
  candidates: readonly Candidate[],
  topics: readonly TopicSize[],
) => ReadonlyMap<string, readonly TopicPartition[]>;

/** How the members of an assigner tell the leader what they have. */
export interface MemberCodec {
  encode(subscription: AssignerSubscription): Uint8Array;
  owned(subscription: Subscription): { readonly owned: readonly TopicPartition[]; readonly generationId: number };
}

export const NOTHING_OWNED = { owned: [], generationId: -1 } as const;

/**
 * Topics alone: a member that comes back describes itself by the same bytes as before, so that a static member's
 * return is no reason to rebalance.
 */
const topicsOnly: MemberCodec = {
  encode: ({ topics }) => encodeSubscription({ topics: [...topics].sort() }, 0),
  owned: () => NOTHING_OWNED,
};

/** An assigner of KafkaJS's kind around a division. */
export function assignerOf(
  name: string,
  divide: Divide,
  options: { readonly codec?: MemberCodec; readonly isCooperative?: boolean } = {},
): PartitionAssigner {
  const { codec = topicsOnly, isCooperative = false } = options;
  return ({ cluster }): Assigner => ({
    name,
    version: 0,
    isCooperative,
    protocol: (subscription) => ({ name, metadata: codec.encode(subscription) }),
    assign({ members, topics }) {
      const candidates = members
        .map(({ memberId, groupInstanceId, memberMetadata }) => {
          const subscription = readSubscription(memberMetadata);
          const owned = subscription === null ? NOTHING_OWNED : codec.owned(subscription);
          const candidate: Candidate = { memberId, topics: new Set(subscription?.topics), ...owned };
          return { rank: groupInstanceId ?? memberId, candidate };
        })
        .sort((left, right) => compare(left.rank, right.rank))
        .map(({ candidate }) => candidate);
      const sizes = [...topics].sort(compare).map((topic) => ({
        topic,
        partitionCount: cluster.findTopicPartitionMetadata(topic).length,
      }));
      const division = divide(candidates, sizes);
      return members.map(({ memberId }) => ({
        memberId,
        memberAssignment: encodeAssignment({ assignedPartitions: topicsOf(division.get(memberId) ?? []) }, 1),
      }));
    },
  });
}

/** The order of UTF-16 units, which is the same everywhere. */
export function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

export function partitionsOf(topics: readonly TopicSize[]): TopicPartition[] {
  return partitionsIn(
    topics.map(({ topic, partitionCount }) => ({
      topic,
      partitions: Array.from({ length: partitionCount }, (_, partition) => partition),
    })),
  );
}

/** One name per partition, for maps. */
export const keyOf = nameOf;
