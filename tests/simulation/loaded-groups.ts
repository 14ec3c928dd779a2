import type { CoordinatorShard } from "../../src/coordinator/coordinator-shard.ts";
import { topicPartitionsOf } from "../../src/coordinator/assignment.ts";
import { namesOf } from "./group-truth.ts";
import type { GroupTruth } from "./group-truth.ts";
import { fail } from "./oracle-context.ts";

/** What a coordinator has loaded, before it decides anything, is what the coordinators before it had promised. */
export function expectLoaded(
  tab: string,
  { groups, offsets }: CoordinatorShard,
  truth: GroupTruth,
  isHere: (groupId: string) => boolean,
): void {
  const expectSame = (what: string, loaded: unknown, promised: unknown) => {
    const [left, right] = [JSON.stringify(loaded), JSON.stringify(promised)];
    if (left !== right) fail("loaded-is-promised", `${tab} has loaded ${left} for ${what}, not ${right}`);
  };
  for (const [groupId, partitions] of truth.offsets) {
    if (!isHere(groupId)) continue;
    for (const [partition, told] of partitions) {
      const [topic, index] = partition.split("/") as [string, string];
      expectSame(`${groupId}, ${partition}`, offsets.get(groupId, topic, Number(index))?.offset ?? null, told.at(-1)!.value);
    }
  }
  for (const groupId of truth.generations.keys()) {
    const group = groups.get(groupId);
    if (!isHere(groupId)) continue;
    const stored = group?.type === "classic" ? group.stored : undefined;
    expectSame(groupId, describe(stored), describe(truth.generation(groupId)));
  }
  for (const [groupId, members] of truth.assignments) {
    const group = groups.get(groupId);
    if (!isHere(groupId)) continue;
    for (const [memberId, told] of members) {
      const member = group?.type === "consumer" ? group.members.get(memberId) : undefined;
      const promised = told.at(-1)!.value;
      const loaded = member && { epoch: member.memberEpoch, assigned: sorted(namesOf(topicPartitionsOf(member.assigned))) };
      expectSame(memberId, loaded ?? null, promised && { epoch: promised.memberEpoch, assigned: sorted(promised.assigned) });
    }
  }
}

function describe(stored: ReturnType<GroupTruth["generation"]>): unknown {
  if (stored === undefined) return undefined;
  const members = stored.members.map(({ memberId, groupInstanceId, assignment }) => {
    return { memberId, groupInstanceId, assignment: String(assignment) };
  });
  return { generation: stored.generation, leader: stored.leader, members };
}

function sorted(names: ReadonlySet<string>): string[] {
  return [...names].sort();
}
