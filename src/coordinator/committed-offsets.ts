/** What a group has committed for one partition. */
export interface CommittedOffset {
  readonly offset: number;
  /** Of the last record read; -1 for not known. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** Milliseconds since 1970. */
  readonly commitTimestamp: number;
  /** Of the topic that had the name then: another one may take it. Zeros for not known. */
  readonly topicId: string;
  /** When the offset expires by the wish of the one who committed it; -1 for by the broker's retention. */
  readonly expireTimestamp: number;
}

export type TopicOffsets = ReadonlyMap<number, CommittedOffset>;

/** What an offset takes beside its metadata: its numbers and its places in maps, of which one may be all its group has. */
const OFFSET_BYTES = 256;

const NO_OFFSETS: ReadonlyMap<string, TopicOffsets> = new Map();

/** The committed offsets of all groups of one shard. Changes only as records are replayed. */
export class CommittedOffsets {
  readonly #groups = new Map<string, Map<string, Map<number, CommittedOffset>>>();
  #sizeInBytes = 0;

  /** About what they take in memory, a character taken for a byte. */
  get sizeInBytes(): number {
    return this.#sizeInBytes;
  }

  /** By how much {@link sizeInBytes} changes if this is set. */
  growth(groupId: string, topic: string, partitionIndex: number, { metadata }: Pick<CommittedOffset, "metadata">): number {
    return OFFSET_BYTES + metadata.length - sizeOf(this.get(groupId, topic, partitionIndex));
  }

  /** By topic name. */
  of(groupId: string): ReadonlyMap<string, TopicOffsets> {
    return this.#groups.get(groupId) ?? NO_OFFSETS;
  }

  get(groupId: string, topic: string, partitionIndex: number): CommittedOffset | undefined {
    return this.#groups.get(groupId)?.get(topic)?.get(partitionIndex);
  }

  has(groupId: string): boolean {
    return this.#groups.has(groupId);
  }

  groupIds(): Iterable<string> {
    return this.#groups.keys();
  }

  set(groupId: string, topic: string, partitionIndex: number, committed: CommittedOffset): void {
    this.#sizeInBytes += this.growth(groupId, topic, partitionIndex, committed);
    const topics = this.#groups.get(groupId) ?? new Map<string, Map<number, CommittedOffset>>();
    this.#groups.set(groupId, topics);
    const partitions = topics.get(topic) ?? new Map<number, CommittedOffset>();
    topics.set(topic, partitions.set(partitionIndex, committed));
  }

  delete(groupId: string, topic: string, partitionIndex: number): void {
    const topics = this.#groups.get(groupId);
    const partitions = topics?.get(topic);
    if (topics === undefined || partitions === undefined) return;
    this.#sizeInBytes -= sizeOf(partitions.get(partitionIndex));
    partitions.delete(partitionIndex);
    if (partitions.size === 0) topics.delete(topic);
    if (topics.size === 0) this.#groups.delete(groupId);
  }
}

function sizeOf(committed: CommittedOffset | undefined): number {
  return committed === undefined ? 0 : OFFSET_BYTES + committed.metadata.length;
}
