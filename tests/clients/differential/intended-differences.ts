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
    where: /^ApiVersions-[012]: in a version of the far future /,
    reason: "an unknown version is answered whatever follows the header; Kafka wants its tags, too",
  },
  {
    where: / brokers\[0\]\.rack$/,
    reason: "the rack of a tab is its browser profile",
  },
  {
    where: /uthorizedOperations$/,
    reason: "there is no access control, so no operations are told",
  },
  {
    where: /^CreateTopics.*: more replicas than brokers /,
    reason: "a replication factor is a target: the topic gains replicas as tabs join",
  },
  {
    where: /^CreateTopics-7: to be validated .*topicId$/,
    reason: "what was not made has no id",
  },
  {
    where: /^DeleteTopics.*: twice in one request responses$/,
    reason: "each of the two is answered, as each was asked for",
  },
  {
    where: /\.configs\[\d+\]\.synonyms$|\.configs\[retention\.ms\]\.synonyms$/,
    reason: "log.retention.ms has a default here, where Kafka has one of log.retention.hours",
  },
  {
    where: /\.configs\[min\.insync\.replicas\]/,
    reason: "a record is safe with two copies, and 2 is never more than a topic has replicas",
  },
  {
    where: /\.configs\[(max\.compaction\.lag\.ms|flush\.messages|flush\.ms)\]\.value$/,
    reason: "numbers end at 2^53 - 1",
  },
  {
    where: /^ListOffsets.*: twice in one request topics\[0\]\.partitions$/,
    reason: "each of the two is refused, as each was asked for",
  },
  {
    where: /^IncrementalAlterConfigs.*: an unknown operation /,
    reason: "an operation that does not exist is the client's error, not the server's",
  },
  {
    where: /^Produce.*: (cut short|cut before the header's end) /,
    reason: "a batch that is cut short is damaged",
  },
  {
    where: /^Produce.*: of a future format /,
    reason: "an unknown format is not supported, be it old or new",
  },
  {
    where: /^Produce.*: (from the future|after all that) /,
    reason: "no record is refused for its timestamp: a tab's clock is that of its user",
  },
  {
    where: /^Produce.*: (with (an offset|more|other)|as a control batch|from the future).*\.logStartOffset$/,
    reason: "where the log starts is not told with an error",
  },
  {
    where: /^InitProducerId.*: (with a gap|that overlaps|of the old|of a later|that is too old).*\.logStartOffset$/,
    reason: "where the log starts is not told with an error",
  },
  {
    where: /^InitProducerId.*\.logAppendTimeMs$/,
    reason: "a repeated batch is answered like the first; Kafka tells its timestamp",
  },
  {
    where: /^Fetch.*: (beyond the end|from a negative|of a later) .*\.(highWatermark|lastStableOffset|logStartOffset)$/,
    reason: "where the log ends is told with an error too",
  },
  {
    where: /^Fetch.*\.abortedTransactions$/,
    reason: "there are no transactions, so there is no list of them",
  },
  {
    where: /^Fetch.*: in an unknown session /,
    reason: "there are no fetch sessions: every request names all it wants",
  },
  {
    where: /^OffsetForLeaderEpoch.*: a later epoch /,
    reason: "asked for an epoch after the last one, a leader tells where its log ends; Kafka tells nothing",
  },
  {
    where: /\.clientHost$/,
    reason: "a tab has no address that would say anything",
  },
  {
    where: / heartbeatIntervalMs$/,
    reason: "heartbeats carry assignments, and these shall move within a fraction of a second",
  },
  {
    where: /^ConsumerGroupDescribe.*\.(groupEpoch|assignmentEpoch|memberEpoch)$/,
    reason: "Kafka counts the first look at a topic as a change of it, unless it looked before the member came",
    sometimes: true,
  },
  {
    where: /\.subscribedTopicRegex$/,
    reason: "no pattern is null, as the schema has it",
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
