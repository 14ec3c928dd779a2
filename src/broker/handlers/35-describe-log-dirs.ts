import { describeLogDirs } from "../../protocol/apis/35-describe-log-dirs.ts";
import type {
  DescribeLogDirsRequest,
  DescribeLogDirsResponseInit,
} from "../../protocol/apis/35-describe-log-dirs.ts";
import type { Handler } from "../handle-request.ts";
import type { Replica } from "../replica.ts";

type TopicUse = DescribeLogDirsResponseInit["results"][number]["topics"][number];
type PartitionUse = TopicUse["partitions"][number];

/**
 * Serves v1 to v4. A tab has one directory, the IndexedDB database of its logs. Copies that are no longer assigned to
 * it are told as well, for they take up room.
 */
export const describeLogDirsHandler: Handler<typeof describeLogDirs> = {
  api: describeLogDirs,
  handle(broker, request, _context, respond) {
    const asked = partitionsAsked(request);
    const topics = new Map<string, PartitionUse[]>();
    for (const replica of broker.replicas()) {
      const { topicName, log } = replica;
      // The metadata may not have told yet, or not tell any more, whose log it is.
      if (topicName === "") continue;
      if (asked !== undefined && asked.get(topicName)?.has(log.partitionIndex) !== true) continue;
      const partitions = topics.get(topicName) ?? [];
      topics.set(topicName, partitions);
      partitions.push({
        partitionIndex: log.partitionIndex,
        partitionSize: log.sizeInBytes,
        offsetLag: lagOf(replica),
        isFutureKey: false,
      });
    }
    const { directoryId } = broker.status();
    const result = {
      errorCode: 0,
      logDir: `indexeddb:${directoryId}`,
      topics: [...topics].map(([name, partitions]) => ({ name, partitions })),
      ...broker.volume,
    };
    respond({ results: [result] });
  },
};

/** By topic; undefined for all. */
function partitionsAsked({ topics }: DescribeLogDirsRequest): ReadonlyMap<string, ReadonlySet<number>> | undefined {
  return topics === null ? undefined : new Map(topics.map(({ topic, partitions }) => [topic, new Set(partitions)]));
}

/** A leader has all there is; a follower lacks what its leader had committed when it answered last. */
function lagOf({ role, log, leaderHighWatermark }: Replica): number {
  return role.kind === "follower" ? Math.max(0, leaderHighWatermark - log.logEndOffset) : 0;
}
