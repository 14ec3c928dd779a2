import type {
  AllocateProducerIdsRequest,
  AllocateProducerIdsResponseInit,
} from "../protocol/apis/67-allocate-producer-ids.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import type { ClusterImage } from "./image.ts";

/** How many producer ids a broker gets at once (KIP-730). */
const BLOCK_SIZE = 1000;

export function allocateProducerIds(
  image: ClusterImage,
  { brokerId, brokerEpoch }: AllocateProducerIdsRequest,
): { readonly records: readonly MetadataRecordInit[]; readonly response: AllocateProducerIdsResponseInit } {
  const broker = image.brokers.get(brokerId);
  if (broker === undefined) return refused("BROKER_ID_NOT_REGISTERED");
  if (broker.brokerEpoch !== brokerEpoch) return refused("STALE_BROKER_EPOCH");
  const producerIdStart = image.nextProducerId;
  const nextProducerId = producerIdStart + BLOCK_SIZE;
  return {
    records: [{ type: "ProducerIdsRecord", brokerId, brokerEpoch, nextProducerId }],
    response: { errorCode: errorCode("NONE"), producerIdStart, producerIdLen: BLOCK_SIZE },
  };
}

function refused(error: "BROKER_ID_NOT_REGISTERED" | "STALE_BROKER_EPOCH"): ReturnType<typeof allocateProducerIds> {
  return { records: [], response: { errorCode: errorCode(error), producerIdStart: -1, producerIdLen: 0 } };
}
