/** Produced with acks=all, and never deleted: whatever was acknowledged here has to be there in the end. */
export const TOPIC = "t";
/** Produced with acks=1: an election may lose what was acknowledged, but nothing else may happen to it. */
export const LEADER_ACKED_TOPIC = "a";
/** Compacted: of each key its last record stays, unless it is a tombstone. */
export const COMPACTED_TOPIC = "k";
/** Deleted and made again while clients use it. */
export const PASSING_TOPIC = "p";

/**
 * What histories and the truth call a partition. Each topic made anew under an old name is another log, so that all but
 * the first have a number.
 */
export class PartitionNames {
  readonly #topics = new Map<string, { readonly label: string; readonly topic: string; readonly labels: string[] }>();
  readonly #made = new Map<string, number>();

  /** The topic of this id is there. Says whether one of its name was there before, and this is news. */
  add(topicId: string, topic: string): boolean {
    if (this.#topics.has(topicId)) return false;
    const count = (this.#made.get(topic) ?? 0) + 1;
    this.#made.set(topic, count);
    this.#topics.set(topicId, { label: count === 1 ? topic : `${topic}.${count}`, topic, labels: [] });
    return count > 1;
  }

  /** Undefined for a topic that never was decided. */
  labelOf(topicId: string, partition: number): string | undefined {
    const known = this.#topics.get(topicId);
    if (known === undefined) return undefined;
    // One text for all who ask, which they do after every event.
    return (known.labels[partition] ??= partitionLabel(known.label, partition));
  }

  /** The labels of a partition in all lives of its topic. */
  labelsOf(topic: string, partition: number): string[] {
    const labels = [...this.#topics.values()].filter((known) => known.topic === topic);
    return labels.map(({ label }) => partitionLabel(label, partition));
  }
}

export function partitionLabel(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}
