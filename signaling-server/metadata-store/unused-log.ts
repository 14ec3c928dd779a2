import { decodeMetadataBatches } from "../../src/metadata/metadata-batch.ts";

/**
 * Whether a metadata log, from its first batch on, has decided nothing yet: it says that there is a cluster, and how
 * often a controller began. Throws for what is no metadata.
 */
export function isUnusedLog(batches: Iterable<Uint8Array>): boolean {
  for (const bytes of batches) {
    for (const { records } of decodeMetadataBatches(bytes)) {
      if (records.some(({ type }) => type !== "ClusterRecord" && type !== "NoOpRecord")) return false;
    }
  }
  return true;
}
