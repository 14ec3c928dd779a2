import type { OffsetFetchRequest, OffsetFetchResponse } from "../../src/protocol/apis/09-offset-fetch.ts";
import { since } from "./group-truth.ts";
import type { GroupTruth, Told } from "./group-truth.ts";
import type { Asked } from "./group-watch.ts";
import { fail } from "./oracle-context.ts";

/** What was told of a group's offsets, against what is committed by then: of every partition that was asked about. */
export function expectFetched(
  where: string,
  asked: Asked<OffsetFetchRequest>,
  { groupId, topics }: OffsetFetchResponse["groups"][number],
  truth: GroupTruth,
): void {
  const committed = truth.offsets.get(groupId);
  const told = new Map<string, number>();
  for (const { name, partitions } of topics) {
    for (const { partitionIndex, committedOffset } of partitions) told.set(`${name}/${partitionIndex}`, committedOffset);
  }
  for (const partition of new Set([...(partitionsIn(asked.request, groupId) ?? committed?.keys() ?? []), ...told.keys()])) {
    expectCommitted(`${where}, ${partition}`, asked, committed?.get(partition), told.get(partition));
  }
}

/**
 * Nothing but what is committed, though the coordinator may know of more that soon will be. Of a coordinator that was not
 * replaced: nothing older, either, than what was committed before the question, and so acknowledged, by whichever
 * coordinator. Both together never let an offset go back from one answer to the next.
 */
function expectCommitted(
  where: string,
  { at, leaderEpoch }: Asked,
  committed: readonly Told<number | null>[] = [],
  offset = -1,
): void {
  const wanted = offset < 0 ? null : offset;
  const known = leaderEpoch === undefined ? committed : since(committed, at);
  const wasNone = leaderEpoch === undefined || known.length === 0 || known[0]!.at >= at;
  if (known.some(({ value }) => value === wanted) || (wanted === null && wasNone)) return;
  const isOld = wanted === null || committed.some(({ value }) => value === wanted);
  fail(isOld ? "offsets-are-not-lost" : "offsets-are-committed", `${where}: ${offset} is told, not ${JSON.stringify(known)}`);
}

/** Those that the question names; undefined if it is about all. */
function partitionsIn({ groups }: OffsetFetchRequest, groupId: string): readonly string[] | undefined {
  const topics = groups.find((group) => group.groupId === groupId)?.topics;
  return topics?.flatMap(({ name, partitionIndexes }) => partitionIndexes.map((index) => `${name}/${index}`));
}
