import { uuid } from "../schema.ts";
import { metadataRecord } from "./metadata-record.ts";

/** A topic was deleted with all its partitions. */
export const removeTopicRecord = metadataRecord({
  key: 9,
  name: "RemoveTopicRecord",
  versions: [0, 0],
  fields: { topicId: uuid },
});
