import {
  array,
  boolean,
  int16,
  int32,
  int64,
  nullableString,
  optional,
  since,
  string,
  tagged,
  uint16,
  uuid,
} from "../schema.ts";
import { metadataRecord } from "./metadata-record.ts";

/**
 * A broker has registered and got its epoch (KIP-631). It starts fenced.
 *
 * v1 adds controlled shutdown (KIP-841), v2 the migration from ZooKeeper (unused here), v3 the storage directories
 * (KIP-858).
 */
export const registerBrokerRecord = metadataRecord({
  key: 0,
  name: "RegisterBrokerRecord",
  versions: [0, 3],
  fields: {
    brokerId: int32,
    isMigratingZkBroker: since(2, boolean, false),
    incarnationId: uuid,
    brokerEpoch: int64,
    endPoints: array({ name: string, host: string, port: uint16, securityProtocol: int16 }),
    features: optional(array({ name: string, minSupportedVersion: int16, maxSupportedVersion: int16 }), []),
    rack: nullableString,
    fenced: optional(boolean, true),
    inControlledShutdown: since(1, boolean, false),
    logDirs: tagged(0, array(uuid), [], 3),
  },
});
