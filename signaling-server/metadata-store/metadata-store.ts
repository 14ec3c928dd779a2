import type { MetadataSnapshot } from "../../src/metadata/metadata-batch.ts";

/** One decision of a controller, as it is kept. */
export interface StoredBatch {
  readonly baseOffset: number;
  readonly batch: Uint8Array;
}

/** What is left of a cluster from earlier runs. */
export interface StoredCluster {
  /** Made when the cluster was first opened. A cluster that lost its metadata gets another (B16). */
  readonly clusterId: string;
  /** Higher than that of every controller before; stored before it is handed out. */
  readonly controllerEpoch: number;
  readonly snapshot: MetadataSnapshot | undefined;
  /** Checked, and without a gap from the snapshot's end, or offset 0, on. */
  readonly log: readonly StoredBatch[];
}

/**
 * Where the metadata logs of a server's clusters are kept. What a promise of it confirms survives a crash of the
 * process and of the machine (R1). A rejected promise means that the cluster must stop: what was to be written may be
 * there or not.
 */
export interface MetadataStore {
  /** Reads a cluster, or makes it, and raises its controller epoch. */
  open(cluster: string): Promise<StoredCluster>;
  /** Appends whole batches, which must follow the last one. All of them are kept or none. */
  append(cluster: string, batches: readonly StoredBatch[]): Promise<void>;
  /** From now on the snapshot stands for the log before its end, which is removed. */
  saveSnapshot(cluster: string, snapshot: MetadataSnapshot): Promise<void>;
  close(): Promise<void>;
}

/** Thrown when what is on the disk is not what was written. Its message names the place and the way out. */
export class DamagedMetadataError extends Error {
  override readonly name = "DamagedMetadataError";
}

/** Thrown when a cluster would be one too many. */
export class ClusterLimitError extends Error {
  override readonly name = "ClusterLimitError";
}
