import { metadataRecord } from "./metadata-record.ts";

/** Says nothing; a controller writes it so that the log's end moves on (KIP-835). */
export const noOpRecord = metadataRecord({ key: 20, name: "NoOpRecord", versions: [0, 0], fields: {} });
