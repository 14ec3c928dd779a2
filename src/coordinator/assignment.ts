/** Partitions by topic id. Treated as immutable; no topic is there without partitions. */
export type Assignment = ReadonlyMap<string, ReadonlySet<number>>;

export interface TopicPartitions {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

export const NO_PARTITIONS: Assignment = new Map();

/** From the wire; a topic may come more than once. */
export function assignmentOf(topics: readonly TopicPartitions[]): Assignment {
  const assignment = new Map<string, Set<number>>();
  for (const { topicId, partitions } of topics) {
    for (const partition of partitions) addPartition(assignment, topicId, partition);
  }
  return assignment;
}

/** To the wire, in ascending order, so that equal assignments have equal bytes. */
export function topicPartitionsOf(assignment: Assignment): { topicId: string; partitions: number[] }[] {
  return [...assignment]
    .map(([topicId, partitions]) => ({ topicId, partitions: [...partitions].sort((left, right) => left - right) }))
    .sort((left, right) => (left.topicId < right.topicId ? -1 : 1));
}

export function addPartition(assignment: Map<string, Set<number>>, topicId: string, partition: number): void {
  const partitions = assignment.get(topicId) ?? new Set<number>();
  assignment.set(topicId, partitions.add(partition));
}

export function hasPartition(assignment: Assignment, topicId: string, partition: number): boolean {
  return assignment.get(topicId)?.has(partition) === true;
}

/** The partitions of an assignment for which `test` holds. */
export function selectPartitions(
  assignment: Assignment,
  test: (topicId: string, partition: number) => boolean,
): Map<string, Set<number>> {
  const selected = new Map<string, Set<number>>();
  for (const [topicId, partitions] of assignment) {
    for (const partition of partitions) if (test(topicId, partition)) addPartition(selected, topicId, partition);
  }
  return selected;
}

export function union(left: Assignment, right: Assignment): Assignment {
  const both = selectPartitions(left, () => true);
  for (const [topicId, partitions] of right) for (const partition of partitions) addPartition(both, topicId, partition);
  return both;
}

export function isSubset(part: Assignment, whole: Assignment): boolean {
  for (const [topicId, partitions] of part) {
    for (const partition of partitions) if (!hasPartition(whole, topicId, partition)) return false;
  }
  return true;
}

export function isSameAssignment(left: Assignment, right: Assignment): boolean {
  return isSubset(left, right) && isSubset(right, left);
}

export function intersects(left: Assignment, right: Assignment): boolean {
  for (const [topicId, partitions] of left) {
    for (const partition of partitions) if (hasPartition(right, topicId, partition)) return true;
  }
  return false;
}
