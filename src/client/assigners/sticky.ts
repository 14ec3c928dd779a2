import { partitionsIn, topicsOf } from "./assigner-protocol.ts";
import { assignerOf, keyOf, NOTHING_OWNED, partitionsOf } from "./division.ts";
import type { Candidate, Divide, MemberCodec } from "./division.ts";
import type { TopicPartition } from "../fetch-position.ts";
import { encodeSubscription } from "../../protocol/consumer-protocol.ts";
import { CorruptMessageError } from "../../protocol/errors.ts";
import { Reader } from "../../protocol/reader.ts";
import { array, int32, message, string } from "../../protocol/schema.ts";
import { Writer } from "../../protocol/writer.ts";

/** A member, and the partitions that it is to have. */
interface Share {
  readonly candidate: Candidate;
  readonly partitions: Map<string, TopicPartition>;
}

/**
 * Moves as little as a fair division allows: first everybody keeps what it has, then what nobody has goes to those
 * with the fewest partitions, and then partitions move, one at a time, while that makes two members more equal. With
 * equal subscriptions members end up at most one partition apart.
 */
export const divideStickily: Divide = (candidates, topics) => {
  const shares = candidates.map((candidate): Share => ({ candidate, partitions: new Map() }));
  const free = new Map(partitionsOf(topics).map((partition) => [keyOf(partition), partition]));
  for (const [key, share] of rightfulOwners(shares)) {
    const partition = free.get(key);
    if (partition === undefined || !share.candidate.topics.has(partition.topic)) continue;
    share.partitions.set(key, partition);
    free.delete(key);
  }
  // Whatever few members want is given out first, while all of them are still free to take it.
  const takers = new Map(topics.map(({ topic }) => [topic, shares.filter((share) => wants(share, topic))]));
  const byChoice = [...free].sort(
    ([, left], [, right]) => takers.get(left.topic)!.length - takers.get(right.topic)!.length,
  );
  for (const [key, partition] of byChoice) least(takers.get(partition.topic)!)?.partitions.set(key, partition);
  // Whoever has most gives first: one that has little too much may come to be right when others are.
  const byLoad = [...shares];
  const sort = () => byLoad.sort((left, right) => right.partitions.size - left.partitions.size);
  while (sort().some((share) => giveOneAway(share, takers)));
  return new Map(shares.map(({ candidate, partitions }) => [candidate.memberId, [...partitions.values()]]));
};

function wants({ candidate }: Share, topic: string): boolean {
  return candidate.topics.has(topic);
}

/** The claim of the newest generation counts. Of two that are equally new neither can be right. */
function rightfulOwners(shares: readonly Share[]): Map<string, Share> {
  const owners = new Map<string, Share>();
  const disputed = new Map<string, number>();
  for (const share of shares) {
    const { generationId } = share.candidate;
    for (const partition of share.candidate.owned) {
      const key = keyOf(partition);
      const other = owners.get(key);
      const rival = other?.candidate.generationId ?? disputed.get(key);
      if (rival !== undefined && rival > generationId) continue;
      if (rival === generationId && other !== share) {
        owners.delete(key);
        disputed.set(key, generationId);
        continue;
      }
      owners.set(key, share);
    }
  }
  return owners;
}

function least(shares: readonly Share[]): Share | undefined {
  let found = shares[0];
  for (const share of shares) if (share.partitions.size < found!.partitions.size) found = share;
  return found;
}

/** Gives one partition to a member that has at least two less; says whether there was one. */
function giveOneAway(from: Share, takers: ReadonlyMap<string, readonly Share[]>): boolean {
  for (const [topic, candidates] of takers) {
    const to = least(candidates);
    if (to === undefined || to.partitions.size + 1 >= from.partitions.size) continue;
    for (const [key, partition] of [...from.partitions].reverse()) {
      if (partition.topic !== topic) continue;
      from.partitions.delete(key);
      to.partitions.set(key, partition);
      return true;
    }
  }
  return false;
}

/** What members of Java's sticky assignor tell of themselves, since they have given everything up by then. */
const stickyUserData = message({
  name: "StickyAssignorUserData",
  versions: [0, 0],
  flexibleFrom: 1,
  fields: { previousAssignment: array({ topic: string, partitions: array(int32) }), generation: int32 },
});

const remembering: MemberCodec = {
  encode({ topics, ownedPartitions, generationId }) {
    if (ownedPartitions.length === 0) return encodeSubscription({ topics: [...topics].sort() }, 0);
    const writer = new Writer();
    const userData = { previousAssignment: topicsOf(ownedPartitions), generation: generationId };
    stickyUserData.codec(0).write(writer, userData);
    return encodeSubscription({ topics: [...topics].sort(), userData: writer.finish() }, 0);
  },
  owned({ userData }) {
    if (userData === null || userData.length === 0) return NOTHING_OWNED;
    try {
      const { previousAssignment, generation } = stickyUserData.codec(0).read(new Reader(userData));
      return { owned: partitionsIn(previousAssignment), generationId: generation };
    } catch (error) {
      // A member that cannot say what it had is one that had nothing.
      if (error instanceof CorruptMessageError) return NOTHING_OWNED;
      throw error;
    }
  },
};

export const sticky = assignerOf("sticky", divideStickily, { codec: remembering });
