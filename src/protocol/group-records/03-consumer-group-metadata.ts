import { int32, int64, string, tagged } from "../schema.ts";
import { consumerGroupRecord } from "./group-record.ts";

/** A consumer group's epoch, which grows whenever its members or its topics change (KIP-848). */
export const consumerGroupMetadataRecord = consumerGroupRecord({
  type: "ConsumerGroupMetadata",
  keyVersion: 3,
  key: { groupId: string },
  value: {
    epoch: int32,
    /** A hash over the subscribed topics, which tells that they changed (KIP-1101); 0 for none. */
    metadataHash: tagged(0, int64, 0),
  },
});
