import { assignerOf, partitionsOf } from "./division.ts";
import type { Divide } from "./division.ts";
import type { TopicPartition } from "../fetch-position.ts";

/** All partitions in turn, each to the next member that wants its topic. */
export const divideInTurn: Divide = (candidates, topics) => {
  const division = new Map<string, TopicPartition[]>(candidates.map(({ memberId }) => [memberId, []]));
  let turn = 0;
  for (const partition of partitionsOf(topics)) {
    for (let tried = 0; tried < candidates.length; tried++) {
      const { memberId, topics: wanted } = candidates[turn++ % candidates.length]!;
      if (!wanted.has(partition.topic)) continue;
      division.get(memberId)!.push(partition);
      break;
    }
  }
  return division;
};

/** KafkaJS's default, under the name that its members know it by. */
export const roundRobin = assignerOf("RoundRobinAssigner", divideInTurn);
