import { groupBy } from "../group-by.ts";
import type { TopicPartition } from "../fetch-position.ts";
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from "../../protocol/consumer-protocol.ts";
import type { Subscription } from "../../protocol/consumer-protocol.ts";
import { CorruptMessageError } from "../../protocol/errors.ts";

/** Partitions by topic. */
export type PartitionsByTopic = Record<string, number[]>;

export interface MemberMetadata {
  readonly version: number;
  readonly topics: string[];
  readonly userData: Uint8Array;
}

export interface MemberAssignment {
  readonly version: number;
  readonly assignment: PartitionsByTopic;
  readonly userData: Uint8Array;
}

const NOTHING = new Uint8Array(0);
/** KafkaJS writes user data always; none at all is told from empty only by its own absence. */
const userDataOf = (userData: Uint8Array | null | undefined) =>
  userData === undefined || userData === null || userData.length === 0 ? null : userData;

/** KafkaJS's codecs for what custom assigners write and read. `decode` answers null for what is none of it. */
export const AssignerProtocol = {
  MemberMetadata: {
    encode: ({ version, topics, userData }: { version: number; topics: readonly string[]; userData?: Uint8Array }) =>
      encodeSubscription({ topics: [...topics], userData: userDataOf(userData) }, versionOf(version)),
    decode(bytes: Uint8Array): MemberMetadata | null {
      const decoded = readSubscription(bytes);
      if (decoded === null) return null;
      return { version: decoded.version, topics: [...decoded.topics], userData: decoded.userData ?? NOTHING };
    },
  },
  MemberAssignment: {
    encode: ({
      version,
      assignment,
      userData,
    }: {
      version: number;
      assignment: Readonly<Record<string, readonly number[]>>;
      userData?: Uint8Array;
    }) => {
      const assignedPartitions = Object.entries(assignment).map(([topic, partitions]) => ({
        topic,
        partitions: [...partitions],
      }));
      return encodeAssignment({ assignedPartitions, userData: userDataOf(userData) }, versionOf(version));
    },
    decode(bytes: Uint8Array): MemberAssignment | null {
      const decoded = readable(() => decodeAssignment(bytes));
      if (decoded === null) return null;
      const assignment = byTopic(partitionsIn(decoded.assignedPartitions));
      return { version: decoded.version, assignment, userData: decoded.userData ?? NOTHING };
    },
  },
} as const;

const NEWEST_VERSION = 3;

function versionOf(version: number): number {
  return Math.min(Math.max(version, 0), NEWEST_VERSION);
}

/** What a member tells of itself; null for bytes that tell nothing, which other members may send. */
export function readSubscription(bytes: Uint8Array): Subscription | null {
  return readable(() => decodeSubscription(bytes));
}

function readable<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch (error) {
    if (error instanceof CorruptMessageError) return null;
    throw error;
  }
}

export function partitionsIn(
  topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}

/** By topic, as lists: the way they go over the wire. */
export function topicsOf(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  return [...groupBy(partitions, ({ topic }) => topic)].map(([topic, group]) => ({
    topic,
    partitions: group.map(({ partition }) => partition).sort((left, right) => left - right),
  }));
}

/** By topic, as an object. The names come from outside, so it inherits nothing that they could reach. */
export function byTopic(partitions: readonly TopicPartition[]): PartitionsByTopic {
  const object = Object.create(null) as PartitionsByTopic;
  for (const { topic, partitions: ids } of topicsOf(partitions)) object[topic] = ids;
  return object;
}
