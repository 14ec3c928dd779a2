import { addPartition, hasPartition } from "../assignment.ts";
import type { Assignment } from "../assignment.ts";
import type { Assignor } from "./assignor.ts";

/** A member while partitions are dealt out. */
interface Share {
  readonly memberId: string;
  readonly subscribed: ReadonlySet<string>;
  readonly before: Assignment;
  readonly assigned: Map<string, Set<number>>;
  count: number;
}

/**
 * Spreads partitions evenly and moves as few as that allows. Members keep what they have, what is left over goes to
 * whoever subscribes to it and has least, and then partitions move from members with more to members with less, while
 * two differ by more than one. With equal subscriptions the result is as even as can be.
 */
export const uniformAssignor: Assignor = {
  name: "uniform",
  assign(members, topics) {
    const shares = [...members]
      .sort((left, right) => (left.memberId < right.memberId ? -1 : 1))
      .map(({ memberId, subscribed, target }): Share => ({
        memberId,
        subscribed: new Set(subscribed),
        before: target,
        assigned: new Map(),
        count: 0,
      }));
    const subscribers = new Map(
      [...topics.keys()].map((topicId) => [topicId, shares.filter(({ subscribed }) => subscribed.has(topicId))]),
    );
    const leftOver = [...topics].map(([topicId, count]) => ({
      readers: subscribers.get(topicId)!,
      topicId,
      partitions: keepOwned(subscribers.get(topicId)!, topicId, count),
    }));
    for (const { readers, topicId, partitions } of leftOver.sort(byReaders)) {
      if (readers.length > 0) for (const partition of partitions) give(leastOf(readers), topicId, partition);
    }
    level(shares, subscribers);
    return new Map<string, Assignment>(shares.map(({ memberId, assigned }) => [memberId, assigned]));
  },
};

interface LeftOver {
  readonly readers: readonly Share[];
  readonly topicId: string;
  readonly partitions: readonly number[];
}

/** Topics that few can read come first, so that the others even things out. */
function byReaders(left: LeftOver, right: LeftOver): number {
  return left.readers.length - right.readers.length || (left.topicId < right.topicId ? -1 : 1);
}

/** Gives partitions to those who have them, and returns the others. */
function keepOwned(subscribers: readonly Share[], topicId: string, count: number): number[] {
  const owners = new Map<number, Share>();
  for (const share of subscribers) {
    for (const partition of share.before.get(topicId) ?? []) owners.set(partition, share);
  }
  const leftOver: number[] = [];
  for (let partition = 0; partition < count; partition++) {
    const owner = owners.get(partition);
    if (owner === undefined) leftOver.push(partition);
    else give(owner, topicId, partition);
  }
  return leftOver;
}

/**
 * Those with most give first, one partition at a time, so that nobody gives what has to come back. Each move brings two
 * members nearer to each other, so this comes to an end.
 */
function level(shares: readonly Share[], subscribers: ReadonlyMap<string, readonly Share[]>): void {
  for (let moved = true; moved; ) {
    moved = false;
    for (let count = shares.reduce((most, share) => Math.max(most, share.count), 0); count > 1; count--) {
      for (const share of shares) if (share.count === count && giveOne(share, subscribers)) moved = true;
    }
  }
}

function giveOne(share: Share, subscribers: ReadonlyMap<string, readonly Share[]>): boolean {
  for (const [topicId, partition] of partitionsOf(share)) {
    const least = leastOf(subscribers.get(topicId)!);
    if (share.count <= least.count + 1) continue;
    take(share, topicId, partition);
    give(least, topicId, partition);
    return true;
  }
  return false;
}

/** What is new to a member goes first: nobody has to give that up. */
function partitionsOf({ assigned, before }: Share): (readonly [string, number])[] {
  const all = [...assigned].flatMap(([topicId, partitions]) =>
    [...partitions].map((partition) => [topicId, partition] as const),
  );
  const isKept = (partition: readonly [string, number]) => hasPartition(before, ...partition);
  return [...all.filter((partition) => !isKept(partition)), ...all.filter(isKept)];
}

function leastOf(shares: readonly Share[]): Share {
  return shares.reduce((least, share) => (share.count < least.count ? share : least));
}

function give(share: Share, topicId: string, partition: number): void {
  addPartition(share.assigned, topicId, partition);
  share.count++;
}

function take(share: Share, topicId: string, partition: number): void {
  const partitions = share.assigned.get(topicId)!;
  partitions.delete(partition);
  if (partitions.size === 0) share.assigned.delete(topicId);
  share.count--;
}
