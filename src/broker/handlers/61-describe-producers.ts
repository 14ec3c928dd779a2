import { describeProducers } from "../../protocol/apis/61-describe-producers.ts";
import type { DescribeProducersResponseInit } from "../../protocol/apis/61-describe-producers.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import { distinct } from "../../metadata/request-error.ts";
import type { Broker } from "../broker.ts";
import type { Handler } from "../handle-request.ts";

type PartitionProducers = DescribeProducersResponseInit["topics"][number]["partitions"][number];

/** There are no transactions, and so no coordinator of any. */
const NO_COORDINATOR = -1;

/** Serves v0, of partitions that this broker leads. */
export const describeProducersHandler: Handler<typeof describeProducers> = {
  api: describeProducers,
  handle(broker, request, _context, respond) {
    respond({
      topics: distinct(request.topics, ({ name }) => name).map(({ name, partitionIndexes }) => ({
        name,
        partitions: [...new Set(partitionIndexes)].map((partitionIndex) => describe(broker, name, partitionIndex)),
      })),
    });
  },
};

function describe(broker: Broker, topicName: string, partitionIndex: number): PartitionProducers {
  const found = broker.leaderOf(topicName, partitionIndex);
  if ("error" in found) return { partitionIndex, errorCode: errorCode(found.error), activeProducers: [] };
  const activeProducers = found.replica.log.producers().map((producer) => ({
    ...producer,
    coordinatorEpoch: NO_COORDINATOR,
  }));
  return { partitionIndex, errorCode: 0, activeProducers };
}
