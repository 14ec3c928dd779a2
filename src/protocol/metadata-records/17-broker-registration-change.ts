import { array, int32, int64, int8, tagged, uuid } from "../schema.ts";
import { metadataRecord } from "./metadata-record.ts";

/**
 * What changed in a broker's registration.
 *
 * v1 adds controlled shutdown (KIP-841), v2 the storage directories (KIP-858).
 */
export const brokerRegistrationChangeRecord = metadataRecord({
  key: 17,
  name: "BrokerRegistrationChangeRecord",
  versions: [0, 2],
  fields: {
    brokerId: int32,
    brokerEpoch: int64,
    /** -1 when it was unfenced, 1 when it was fenced, 0 for no change. */
    fenced: tagged(0, int8, 0),
    /** 1 when it went into controlled shutdown, 0 for no change. */
    inControlledShutdown: tagged(1, int8, 0, 1),
    logDirs: tagged(2, array(uuid), [], 2),
  },
});
