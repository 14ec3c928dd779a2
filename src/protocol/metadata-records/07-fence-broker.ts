import { int32, int64 } from "../schema.ts";
import { metadataRecord } from "./metadata-record.ts";

/** A broker may not lead or be in sync until it is unfenced. */
export const fenceBrokerRecord = metadataRecord({
  key: 7,
  name: "FenceBrokerRecord",
  versions: [0, 0],
  fields: { id: int32, epoch: int64 },
});
