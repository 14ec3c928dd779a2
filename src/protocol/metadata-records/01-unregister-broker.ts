import { int32, int64 } from "../schema.ts";
import { metadataRecord } from "./metadata-record.ts";

/** A broker is gone for good; its id is not given to another. */
export const unregisterBrokerRecord = metadataRecord({
  key: 1,
  name: "UnregisterBrokerRecord",
  versions: [0, 0],
  fields: { brokerId: int32, brokerEpoch: int64 },
});
