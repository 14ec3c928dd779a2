import { string, uuid } from "../schema.ts";
import { metadataRecord } from "./metadata-record.ts";

/** A topic was created. A topic of the same name that comes later has another id. */
export const topicRecord = metadataRecord({
  key: 2,
  name: "TopicRecord",
  versions: [0, 0],
  fields: { name: string, topicId: uuid },
});
