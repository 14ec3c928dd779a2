import { addPartition } from "../assignment.ts";
import type { Assignment } from "../assignment.ts";
import type { AssignedMember, Assignor, PartitionCounts } from "./assignor.ts";

/**
 * Splits each topic by itself into consecutive ranges, in the order of the members, so that equal partitions of
 * topics with equal subscribers go to one member. Those of the first members are longer by one where the split is
 * uneven.
 */
export const rangeAssignor: Assignor = {
  name: "range",
  assign(members, topics) {
    const assignments = new Map(members.map(({ memberId }) => [memberId, new Map<string, Set<number>>()]));
    const subscribers = subscribersOf([...members].sort(byName), topics);
    for (const [topicId, count] of topics) assignTopic(assignments, topicId, count, subscribers.get(topicId)!);
    return assignments as ReadonlyMap<string, Assignment>;
  },
};

/** Goes through each subscription once, for a search in it for each topic would take a large group seconds. */
function subscribersOf(
  members: readonly AssignedMember[],
  topics: PartitionCounts,
): ReadonlyMap<string, readonly AssignedMember[]> {
  const subscribers = new Map([...topics.keys()].map((topicId) => [topicId, [] as AssignedMember[]]));
  for (const member of members) {
    for (const topicId of new Set(member.subscribed)) subscribers.get(topicId)?.push(member);
  }
  return subscribers;
}

function assignTopic(
  assignments: ReadonlyMap<string, Map<string, Set<number>>>,
  topicId: string,
  count: number,
  subscribers: readonly AssignedMember[],
): void {
  let next = 0;
  subscribers.forEach(({ memberId }, at) => {
    const end = next + Math.floor(count / subscribers.length) + (at < count % subscribers.length ? 1 : 0);
    for (; next < end; next++) addPartition(assignments.get(memberId)!, topicId, next);
  });
}

/** A static member keeps its place, and so its range, under whatever member id it comes back. */
function byName(left: AssignedMember, right: AssignedMember): number {
  const [first, second] = [left.instanceId ?? left.memberId, right.instanceId ?? right.memberId];
  return first < second ? -1 : first > second ? 1 : 0;
}
