import type { Difference } from "./compare.ts";

/** Where we answer other than Apache Kafka on purpose. `where` is looked for in what `Difference.where` says. */
export interface IntendedDifference {
  readonly where: RegExp;
  readonly reason: string;
}

export const intendedDifferences: readonly IntendedDifference[] = [
  {
    where: /^CreateTopics.*: more replicas than brokers /,
    reason: "a replication factor is a target: the topic gains replicas as tabs join",
  },
];

/** Tells the differences that were not intended, and the intentions that made no difference. */
export function judge(found: readonly Difference[]) {
  const intended = (difference: Difference) => intendedDifferences.find(({ where }) => where.test(difference.where));
  return {
    unintended: found.filter((difference) => intended(difference) === undefined),
    unused: intendedDifferences.filter(({ where }) => !found.some((difference) => where.test(difference.where))),
  };
}
