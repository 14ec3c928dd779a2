import type { FetchPosition } from "./fetch-position.ts";
import type { Taken } from "./fetcher.ts";

/** Whether the position has jumped since, so that the rest is not wanted. */
export function isStale({ partition, generation }: Taken): boolean {
  return partition.generation !== generation;
}

/** Whether no more of it shall be handed out. The position stays where processing got to. */
export function isHeld(taken: Taken): boolean {
  return taken.partition.paused || taken.partition.revoking || isStale(taken);
}

/** Takes note that the message at `offset`, and those before it, were processed. Returns how much further that is. */
export function passed(taken: Taken, offset: number): number {
  if (isStale(taken)) return 0;
  const before = taken.partition.consumed;
  const after = positionBehind(taken, offset);
  taken.partition.consumed = after;
  return after.offset - (before?.offset ?? after.offset);
}

function positionBehind(taken: Taken, offset: number): FetchPosition {
  const { next, views } = taken.fetched.batches;
  if (offset + 1 >= next.offset) return next;
  // Messages come in order, so the batch that holds this one is the one of the last message, or comes soon after it.
  if (views[taken.cursor]!.header.baseOffset > offset) taken.cursor = 0;
  while (views[taken.cursor]!.header.lastOffset < offset) taken.cursor++;
  const { partitionLeaderEpoch } = views[taken.cursor]!.header;
  return { offset: offset + 1, lastFetchedEpoch: partitionLeaderEpoch };
}

export function passedAll(taken: Taken): number {
  return passed(taken, taken.fetched.batches.next.offset - 1);
}
