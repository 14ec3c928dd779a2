import { int32, int64 } from "../schema.ts";
import { metadataRecord } from "./metadata-record.ts";

/** A broker that has caught up with the metadata may serve. */
export const unfenceBrokerRecord = metadataRecord({
  key: 8,
  name: "UnfenceBrokerRecord",
  versions: [0, 0],
  fields: { id: int32, epoch: int64 },
});
