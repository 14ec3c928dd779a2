import { string } from "../schema.ts";
import { metadataRecord } from "./metadata-record.ts";

/** The first record of every metadata log: which cluster it is. This kind is not Kafka's, which keeps the id in a file. */
export const clusterRecord = metadataRecord({
  key: 10001,
  name: "ClusterRecord",
  versions: [0, 0],
  fields: { clusterId: string },
});
