import { CorruptMessageError } from "../../src/protocol/errors.ts";
import { decodeGroupRecord } from "../../src/protocol/group-records/registry.ts";
import type { GroupRecordOf } from "../../src/protocol/group-records/registry.ts";
import type { CommittedRecord } from "./compacted-log.ts";
import { fail } from "./oracle-context.ts";

export type StoredGeneration = NonNullable<GroupRecordOf<"GroupMetadata">["value"]>;

/** What a record of `__consumer_offsets` said, and which it is among all of them, in the order of their commits. */
export interface Told<T> {
  readonly at: number;
  readonly value: T;
}

export interface ToldGeneration extends Told<StoredGeneration> {
  /** Of the coordinator that wrote it down, whoever committed it. */
  readonly leaderEpoch: number;
}

/** What a member of a consumer group (KIP-848) may use, as its record has it. Partitions are `topicId/partition`. */
export interface CurrentAssignment {
  readonly memberEpoch: number;
  readonly assigned: ReadonlySet<string>;
  readonly pending: ReadonlySet<string>;
}

/**
 * What the groups have been promised: the state that the committed records of `__consumer_offsets` make, worked out here
 * in the plainest way, beside what each of them was before. Groups of any protocol; no group changes its own.
 */
export class GroupTruth {
  /** Of how many records this is what became. */
  count = 0;
  /** By group, then `topic/partition`. Null for an offset that was removed. */
  readonly offsets = new Map<string, Map<string, Told<number | null>[]>>();
  /** By group, one generation after the other. */
  readonly generations = new Map<string, ToldGeneration[]>();
  /** By group and member, one assignment after the other; null for one that is not a member any more. */
  readonly assignments = new Map<string, Map<string, Told<CurrentAssignment | null>[]>>();
  /** Commits that their clients wait for no longer, by group, then `topic/partition`. */
  readonly #givenUp = new Map<string, Map<string, Set<number>>>();
  readonly #taken: (generation: StoredGeneration, groupId: string) => void;

  /** Told of every generation of a classic group. */
  constructor(taken: (generation: StoredGeneration, groupId: string) => void = () => {}) {
    this.#taken = taken;
  }

  /** `leaderEpoch`: of the leader that appended the record. */
  replay({ key, value, offset }: CommittedRecord, leaderEpoch: number): void {
    const at = this.count++;
    const record = decoded(key, value, offset);
    switch (record?.type) {
      case "OffsetCommit": {
        const { group, topic, partition } = record.key;
        return this.#commit(group, `${topic}/${partition}`, { at, value: record.value?.offset ?? null });
      }
      case "GroupMetadata": {
        if (record.value === null) return void this.generations.delete(record.key.group);
        push(this.generations, record.key.group, { at, value: record.value, leaderEpoch });
        return this.#taken(record.value, record.key.group);
      }
      case "ConsumerGroupCurrentMemberAssignment":
        return this.#assign(at, record);
      case "ConsumerGroupMemberMetadata": {
        const { groupId, memberId } = record.key;
        if (record.value === null) push(inner(this.assignments, groupId), memberId, { at, value: null });
      }
    }
  }

  /** The commit may arrive behind later ones, for as long as its generation lasts; so it is with Kafka. */
  gaveUpCommit(groupId: string, topicPartition: string, offset: number): void {
    const partitions = inner(this.#givenUp, groupId);
    partitions.set(topicPartition, (partitions.get(topicPartition) ?? new Set()).add(offset));
  }

  committed(groupId: string, topicPartition: string): number | undefined {
    return this.offsets.get(groupId)?.get(topicPartition)?.at(-1)?.value ?? undefined;
  }

  generation(groupId: string): StoredGeneration | undefined {
    return this.generations.get(groupId)?.at(-1)?.value;
  }

  /** The members of a group of either kind, by its last records. */
  hasMember(groupId: string, memberId: string): boolean {
    const stored = this.generation(groupId);
    if (stored?.members.some((member) => member.memberId === memberId) === true) return true;
    return this.assignments.get(groupId)?.get(memberId)?.at(-1)?.value != null;
  }

  /**
   * Members go forward only, and whoever takes over goes on where the one before has committed. A commit that was given
   * up may come late.
   */
  #commit(groupId: string, partition: string, told: Told<number | null>): void {
    const before = this.committed(groupId, partition);
    const isLate = told.value !== null && this.#givenUp.get(groupId)?.get(partition)?.has(told.value) === true;
    if (before !== undefined && told.value !== null && told.value < before && !isLate) {
      fail("offsets-grow", `${groupId}: ${told.value} is committed of ${partition}, where ${before} was`);
    }
    push(inner(this.offsets, groupId), partition, told);
  }

  /** KIP-848's promise: a partition is never in the assignments of two, and nobody has it before it was let go. */
  #assign(at: number, { key, value }: GroupRecordOf<"ConsumerGroupCurrentMemberAssignment">): void {
    const members = inner(this.assignments, key.groupId);
    if (value === null) return push(members, key.memberId, { at, value: null });
    const assigned = namesOf(value.assignedPartitions);
    for (const [memberId, told] of members) {
      const other = told.at(-1)?.value;
      if (memberId === key.memberId || other === null || other === undefined) continue;
      for (const partition of assigned) {
        if (!other.assigned.has(partition) && !other.pending.has(partition)) continue;
        fail("one-owner", `${key.groupId}: ${key.memberId} is given ${partition}, which ${memberId} has`);
      }
    }
    const pending = namesOf(value.partitionsPendingRevocation);
    push(members, key.memberId, { at, value: { memberEpoch: value.memberEpoch, assigned, pending } });
  }
}

/** What the list said when its reader asked, and everything that it said since. */
export function since<T>(told: readonly Told<T>[] | undefined, asked: number): readonly Told<T>[] {
  if (told === undefined) return [];
  let first = told.length;
  while (first > 0 && told[first - 1]!.at >= asked) first--;
  return told.slice(Math.max(0, first - 1));
}

export function namesOf(topics: readonly { readonly topicId: string; readonly partitions: readonly number[] }[]): Set<string> {
  return new Set(topics.flatMap(({ topicId, partitions }) => partitions.map((partition) => `${topicId}/${partition}`)));
}

function decoded(key: Uint8Array | null, value: Uint8Array | null, offset: number) {
  try {
    return decodeGroupRecord(key, value);
  } catch (error) {
    if (!(error instanceof CorruptMessageError)) throw error;
    return fail("group-records-are-sound", `the record at ${offset}: ${error.message}`);
  }
}

function inner<K, V>(map: Map<string, Map<K, V>>, key: string): Map<K, V> {
  const known = map.get(key) ?? new Map<K, V>();
  map.set(key, known);
  return known;
}

function push<T>(map: Map<string, T[]>, key: string, told: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [told]);
  else list.push(told);
}
