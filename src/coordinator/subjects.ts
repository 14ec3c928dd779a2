import type { GroupRecord } from "../protocol/group-records/registry.ts";

/**
 * What records are about, and answers tell of: a group with its members, or how far it has read one partition. Two
 * subjects of one name would only make answers wait for more than they need to.
 */
export type Subject = string;

export function groupSubject(groupId: string): Subject {
  return `group ${groupId}`;
}

export function offsetSubject(groupId: string, topic: string, partition: number): Subject {
  return `offset ${partition} ${topic} ${groupId}`;
}

export function subjectOf({ type, key }: GroupRecord): Subject {
  switch (type) {
    case "OffsetCommit":
      return offsetSubject(key.group, key.topic, key.partition);
    case "GroupMetadata":
      return groupSubject(key.group);
    default:
      return groupSubject(key.groupId);
  }
}
