import { assignerOf } from "./division.ts";
import type { Divide } from "./division.ts";
import type { TopicPartition } from "../fetch-position.ts";

/**
 * Kafka's `range`: of each topic, every member gets a run of neighbouring partitions, and the first ones get one more
 * where the number does not come out even. Topics of one size are divided alike, so that what has one key in both is
 * read by one member.
 */
export const divideByRange: Divide = (candidates, topics) => {
  const division = new Map<string, TopicPartition[]>(candidates.map(({ memberId }) => [memberId, []]));
  for (const { topic, partitionCount } of topics) {
    const members = candidates.filter((candidate) => candidate.topics.has(topic));
    let next = 0;
    members.forEach(({ memberId }, index) => {
      const share = Math.floor(partitionCount / members.length) + (index < partitionCount % members.length ? 1 : 0);
      for (const end = next + share; next < end; next++) division.get(memberId)!.push({ topic, partition: next });
    });
  }
  return division;
};

export const range = assignerOf("range", divideByRange);
