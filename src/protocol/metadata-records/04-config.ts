import { int8, nullableString, string } from "../schema.ts";
import { metadataRecord } from "./metadata-record.ts";

/** One key of a configuration was set, or, with a null value, taken back to its default. */
export const configRecord = metadataRecord({
  key: 4,
  name: "ConfigRecord",
  versions: [0, 0],
  fields: {
    /** 2 for a topic, 4 for a broker. */
    resourceType: int8,
    resourceName: string,
    name: string,
    value: nullableString,
  },
});
