import { boolean, int32, int64, string, uuid } from "../schema.ts";
import { metadataRecord } from "./metadata-record.ts";

/**
 * What the controller knows of a broker's storage directory, and compares at its next registration to tell a restart
 * from a copy or a restored backup. This kind is not Kafka's.
 */
export const storageIdentityRecord = metadataRecord({
  key: 10000,
  name: "StorageIdentityRecord",
  versions: [0, 0],
  fields: {
    directoryId: uuid,
    /** The node id that the directory has for life. */
    brokerId: int32,
    /** How often the directory was registered. */
    generation: int64,
    nonce: string,
    /** Whether the broker has reported that it stored this generation and nonce. */
    confirmed: boolean,
    /** "strict" or "relaxed", as registered. */
    durability: string,
  },
});
