import { int32, int64, optional } from "../schema.ts";
import { metadataRecord } from "./metadata-record.ts";

/** A block of producer ids was given to a broker (KIP-730). */
export const producerIdsRecord = metadataRecord({
  key: 15,
  name: "ProducerIdsRecord",
  versions: [0, 0],
  fields: {
    brokerId: int32,
    brokerEpoch: optional(int64, -1),
    /** Where the next block will start. */
    nextProducerId: int64,
  },
});
