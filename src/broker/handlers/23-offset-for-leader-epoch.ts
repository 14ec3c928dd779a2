import { offsetForLeaderEpoch } from "../../protocol/apis/23-offset-for-leader-epoch.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import { checkLeaderEpoch } from "../../replication/fetch-fencing.ts";
import type { Broker } from "../broker.ts";
import type { Handler } from "../handle-request.ts";

/**
 * Serves v2 to v4: where one of the leader's epochs ended, for followers and for consumers (KIP-320). Of an epoch after
 * its own the leader knows nothing, and says so.
 */
export const offsetForLeaderEpochHandler: Handler<typeof offsetForLeaderEpoch> = {
  api: offsetForLeaderEpoch,
  handle(broker, request, _context, respond) {
    respond({
      topics: request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map((asked) => ({ partition: asked.partition, ...answer(broker, topic, asked) })),
      })),
    });
  },
};

function answer(
  broker: Broker,
  topic: string,
  asked: { readonly partition: number; readonly currentLeaderEpoch: number; readonly leaderEpoch: number },
): { errorCode: number; leaderEpoch: number; endOffset: number } {
  const found = broker.leaderOf(topic, asked.partition);
  const error = "error" in found ? found.error : checkLeaderEpoch(asked.currentLeaderEpoch, found.state.leaderEpoch);
  if (error !== undefined || "error" in found) {
    return { errorCode: errorCode(error ?? "NONE"), leaderEpoch: -1, endOffset: -1 };
  }
  if (asked.leaderEpoch > found.state.leaderEpoch) return { errorCode: 0, leaderEpoch: -1, endOffset: -1 };
  const { log } = found.replica;
  const { epoch, endOffset } = log.epochs.endOffsetFor(asked.leaderEpoch, log.logEndOffset);
  return { errorCode: 0, leaderEpoch: epoch, endOffset };
}
