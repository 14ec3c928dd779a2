import type { CoordinatorShard } from "../../src/coordinator/coordinator-shard.ts";
import { topicPartitionsOf } from "../../src/coordinator/assignment.ts";
import type { Assignment } from "../../src/coordinator/assignment.ts";

/** Everything about a shard that has to outlive it, as plain data in one order. */
export function durableState({ groups, offsets }: CoordinatorShard): unknown {
  const described = [...groups.values()].flatMap((group): [string, unknown][] => {
    if (group.type === "classic") {
      const isKept = group.stored !== undefined || offsets.has(group.groupId);
      return isKept ? [[group.groupId, group.stored ?? "offsets alone"]] : [];
    }
    const { epoch, assignmentEpoch, members, targets, topics } = group;
    return [
      [
        group.groupId,
        {
          epoch,
          assignmentEpoch,
          members: sorted(members).map(([id, member]) => [
            id,
            { ...member, assigned: plain(member.assigned), pendingRevocation: plain(member.pendingRevocation) },
          ]),
          targets: sorted(targets).map(([id, target]) => [id, plain(target)]),
          topics: sorted(topics),
        },
      ],
    ];
  });
  const committed = sorted(new Map([...offsets.groupIds()].map((id) => [id, offsets.of(id)]))).map(([id, topics]) => [
    id,
    sorted(topics).map(([topic, partitions]) => [topic, [...partitions].sort(([left], [right]) => left - right)]),
  ]);
  return { groups: described.sort(([left], [right]) => (left < right ? -1 : 1)), committed };
}

function sorted<Value>(map: ReadonlyMap<string, Value>): [string, Value][] {
  return [...map].sort(([left], [right]) => (left < right ? -1 : 1));
}

function plain(assignment: Assignment): unknown {
  return topicPartitionsOf(assignment);
}
