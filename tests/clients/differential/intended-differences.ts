import type { Difference } from "./compare.ts";

/** Where we answer other than Apache Kafka on purpose. `where` is looked for in what `Difference.where` says. */
export interface IntendedDifference {
  readonly where: RegExp;
  readonly reason: string;
  /** It depends on which of two things a broker does first. */
  readonly sometimes?: true;
}

export const intendedDifferences: readonly IntendedDifference[] = [
  {
    where: /^CreateTopics.*: more replicas than brokers /,
    reason: "a replication factor is a target: the topic gains replicas as tabs join",
  },
  {
    where: /\.configs\[min\.insync\.replicas\]/,
    reason: "another default: a record is safe with two copies, and 2 is never more than a topic has replicas",
  },
  {
    where: /\.configs\[message\.timestamp\.after\.max\.ms\]\.value$/,
    reason: "another default: a broker's clock is that of some user's machine, so it is no measure unless asked for",
  },
  {
    where: / heartbeatIntervalMs$/,
    reason: "another default: heartbeats carry assignments, and these shall move within a fraction of a second",
  },
  {
    where: /\.configs\[retention\.ms\]\.synonyms$/,
    reason: "its default is that of log.retention.ms here; Kafka's is log.retention.hours, which it leaves out",
  },
  {
    where: /^CreateTopics-7: to be validated .*topicId$/,
    reason: "what was not made has no id; Kafka tells one that no topic will have",
  },
  {
    where: /^IncrementalAlterConfigs.*: an unknown operation /,
    reason: "it is the client's mistake; Kafka tells UNKNOWN_SERVER_ERROR of an exception that it did not expect",
  },
  {
    where: /^Produce.*: of another timestamp type /,
    reason: "a client that says when the broker appended is mistaken; Kafka stores the batch without that mark",
  },
  {
    where: /^Produce.*: with garbage to a topic with .*\.errorCode$/,
    reason: "what cannot be decompressed is an invalid record; Kafka tells UNKNOWN_SERVER_ERROR of an exception",
  },
  {
    where: /^(Produce|InitProducerId).*\.logStartOffset$/,
    reason: "where the log starts is told to those who appended; Kafka tells it with some errors, too",
  },
  {
    where: /^InitProducerId.*\.logAppendTimeMs$/,
    reason: "only a topic of LogAppendTime has such a time; Kafka tells the producer's timestamp of a repeated batch",
  },
  {
    where: /^Fetch.*: (beyond the end|beyond it|from a negative offset) .*\.logStartOffset$/,
    reason: "who is out of range hears where the log starts, and need not ask for it",
  },
  {
    where: /^DescribeGroups.*: a group twice groups$/,
    reason: "a group is described once: kilobytes for a name of four bytes, over and over, would fill a tab's memory",
  },
  {
    where: /^ConsumerGroupDescribe.*\.(groupEpoch|assignmentEpoch|memberEpoch)$/,
    reason: "a coordinator of Kafka may hear of a new topic after its first member, which is one more epoch",
    sometimes: true,
  },
];

/** Tells the differences that were not intended, and the intentions that made no difference. */
export function judge(found: readonly Difference[]) {
  const intended = (difference: Difference) => intendedDifferences.find(({ where }) => where.test(difference.where));
  return {
    unintended: found.filter((difference) => intended(difference) === undefined),
    unused: intendedDifferences.filter(
      ({ where, sometimes }) => sometimes !== true && !found.some((difference) => where.test(difference.where)),
    ),
  };
}
