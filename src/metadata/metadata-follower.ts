import { fetch } from "../protocol/apis/01-fetch.ts";
import type { FetchRequestInit, FetchResponse } from "../protocol/apis/01-fetch.ts";
import { fetchSnapshot } from "../protocol/apis/59-fetch-snapshot.ts";
import type { FetchSnapshotRequestInit, FetchSnapshotResponse } from "../protocol/apis/59-fetch-snapshot.ts";
import { errorCode, errorMessage, errorName } from "../protocol/error-codes.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import { CorruptMessageError, UnsupportedVersionError } from "../protocol/errors.ts";
import { ClusterImage } from "./image.ts";
import type { ImageChange } from "./image.ts";
import { imageDiff } from "./image-diff.ts";
import {
  applyBatch,
  concatenated,
  decodeMetadataBatches,
  imageOf,
  METADATA_TOPIC,
  METADATA_TOPIC_ID,
} from "./metadata-batch.ts";

/** The newest metadata that somebody has seen, perhaps in an earlier life. */
export interface SeenMetadata {
  /** Undefined before any cluster was joined. */
  readonly clusterId: string | undefined;
  /** Of the controller, -1 for none. */
  readonly epoch: number;
  readonly endOffset: number;
}

export type MetadataQuestion =
  | { readonly api: typeof fetch; readonly version: 17; readonly body: FetchRequestInit }
  | { readonly api: typeof fetchSnapshot; readonly version: 1; readonly body: FetchSnapshotRequestInit };

export interface FollowResult {
  /** What the answer changed in the image. */
  readonly changed: readonly ImageChange[];
  /** Why the answer was not used: which controller it is, what is wrong with it. It changed nothing. */
  readonly error?: string;
}

export interface FollowerOptions {
  /** Given by brokers that have registered, so that the controller knows how far they are. */
  readonly replica?: () => { readonly replicaId: number; readonly replicaEpoch: number } | undefined;
  /** How long the controller may hold a request while nothing changes. */
  readonly maxWaitMs?: number;
}

const MAX_WAIT_MS = 10_000;
const MAX_BYTES = 1024 * 1024;
/** The largest cluster that a tab will hold in memory. */
const MAX_SNAPSHOT_BYTES = 64 * 1024 * 1024;

interface Download {
  readonly id: { readonly endOffset: number; readonly epoch: number };
  readonly parts: Uint8Array[];
  position: number;
}

/**
 * Follows the metadata log as a consumer follows a partition, and keeps the image it makes; pure, so the caller sends
 * `request()` and hands back the answer. Records are applied in log order. A controller of another cluster, or one that
 * is behind what was seen before, such as a server restored from an old disk, is refused (R19).
 */
export class MetadataFollower {
  readonly #options: FollowerOptions;
  #image = new ClusterImage();
  #seen: SeenMetadata;
  #download: Download | undefined;
  /** Where the controller's metadata ended when it answered last. */
  #toldEndOffset = Number.POSITIVE_INFINITY;
  #removedTopics: string[] = [];
  /** Why the image cannot be carried on, once records have contradicted it. */
  #broken: string | undefined;

  constructor(seen: SeenMetadata, options: FollowerOptions = {}) {
    this.#seen = seen;
    this.#options = options;
  }

  /** The cluster as of the last answer. A snapshot replaces the object. */
  get image(): ClusterImage {
    return this.#image;
  }

  /** The newest metadata that was seen, in this life or before: what no controller may be behind (R19). */
  get seen(): SeenMetadata {
    return this.#seen;
  }

  /**
   * Whether the image holds all that the controller had decided when it answered last. A snapshot alone may be older
   * than any leader that it names.
   */
  get isCurrent(): boolean {
    return this.#image.endOffset >= this.#toldEndOffset;
  }

  /** What to ask next. Asking again is harmless, after a connection was lost for example. */
  request(): MetadataQuestion {
    const clusterId = this.#seen.clusterId ?? null;
    if (this.#download === undefined) return { api: fetch, version: 17, body: this.#fetchRequest(clusterId) };
    const { id, position } = this.#download;
    const partition = { partition: 0, currentLeaderEpoch: -1, snapshotId: id, position };
    const topics = [{ name: METADATA_TOPIC, partitions: [partition] }];
    return { api: fetchSnapshot, version: 1, body: { clusterId, maxBytes: MAX_BYTES, topics } };
  }

  /** The answer to the last `request()`. */
  onResponse(response: FetchResponse | FetchSnapshotResponse): FollowResult {
    if (this.#broken !== undefined) return refuse(this.#broken);
    try {
      return "responses" in response ? this.#onFetched(response) : this.#onPiece(response);
    } catch (error) {
      if (!(error instanceof CorruptMessageError || error instanceof UnsupportedVersionError)) throw error;
      this.#download = undefined;
      return refuse(`the controller's metadata cannot be used: ${error.message}`);
    }
  }

  /**
   * The ids of topics that were seen and then removed, once. Only this, never a topic's absence, says that its
   * records may be deleted (R18).
   */
  takeRemovedTopics(): readonly string[] {
    const removed = this.#removedTopics;
    this.#removedTopics = [];
    return removed;
  }

  #fetchRequest(clusterId: string | null): FetchRequestInit {
    const { endOffset, epoch } = this.#image;
    const partition = {
      partition: 0,
      fetchOffset: endOffset,
      lastFetchedEpoch: epoch,
      partitionMaxBytes: MAX_BYTES,
    };
    return {
      clusterId,
      replicaState: this.#options.replica?.() ?? null,
      maxWaitMs: this.#options.maxWaitMs ?? MAX_WAIT_MS,
      minBytes: 1,
      maxBytes: MAX_BYTES,
      topics: [{ topicId: METADATA_TOPIC_ID, partitions: [partition] }],
    };
  }

  #onFetched(response: FetchResponse): FollowResult {
    const partition = response.responses[0]?.partitions[0];
    const code = response.errorCode !== 0 || partition === undefined ? response.errorCode : partition.errorCode;
    if (code === errorCode("OFFSET_OUT_OF_RANGE")) {
      return refuse(rolledBack(`metadata ends before offset ${this.#image.endOffset}`));
    }
    if (code !== 0) return this.#refuseError(errorName(code));
    if (partition === undefined) return refuse("the controller's answer does not hold the metadata log");
    const { currentLeader, highWatermark, divergingEpoch, snapshotId, records } = partition;
    const problem = this.#behind(currentLeader?.leaderEpoch ?? -1, highWatermark);
    if (problem !== undefined) return refuse(problem);
    this.#toldEndOffset = highWatermark;
    if (divergingEpoch !== null) {
      return refuse(rolledBack(`metadata differs from offset ${divergingEpoch.endOffset} on`));
    }
    if (snapshotId !== null) {
      this.#download = { id: snapshotId, parts: [], position: 0 };
      return { changed: [] };
    }
    return this.#apply(records ?? new Uint8Array(0));
  }

  /** R19: why this controller knows less than was seen, or undefined if it does not. */
  #behind(epoch: number, endOffset: number): string | undefined {
    if (epoch < this.#seen.epoch) {
      return rolledBack(`epoch ${epoch} is older than epoch ${this.#seen.epoch}`);
    }
    if (endOffset < this.#seen.endOffset) {
      return rolledBack(`metadata ends at ${endOffset}, before offset ${this.#seen.endOffset}`);
    }
    return undefined;
  }

  #apply(records: Uint8Array): FollowResult {
    // Decoded whole before any of it is applied, so that a broken batch leaves the image as it was.
    const batches = [...decodeMetadataBatches(records)];
    for (const batch of batches) {
      for (const record of batch.records) if (record.type === "ClusterRecord") this.#expectCluster(record.clusterId);
    }
    const changed: ImageChange[] = [];
    try {
      for (const batch of batches) changed.push(...applyBatch(this.#image, batch));
    } catch (error) {
      this.#broken = `${String(error)}; reload this page to start from the controller's metadata anew`;
      throw error;
    }
    this.#noteRemovals(changed);
    this.#advance();
    return { changed };
  }

  #onPiece(response: FetchSnapshotResponse): FollowResult {
    const download = this.#download;
    const partition = response.topics[0]?.partitions[0];
    if (download === undefined || partition === undefined) {
      this.#download = undefined;
      return this.#refuseError(errorName(response.errorCode));
    }
    if (partition.errorCode !== 0) {
      this.#download = undefined;
      // A newer snapshot has taken its place: the next fetch will name it.
      if (partition.errorCode === errorCode("SNAPSHOT_NOT_FOUND")) return { changed: [] };
      return this.#refuseError(errorName(partition.errorCode));
    }
    const { size, position, unalignedRecords } = partition;
    if (size > MAX_SNAPSHOT_BYTES) {
      this.#download = undefined;
      return refuse(`the controller's snapshot of ${size} bytes exceeds the limit of ${MAX_SNAPSHOT_BYTES}`);
    }
    const end = download.position + unalignedRecords.length;
    if (position !== download.position || unalignedRecords.length === 0 || end > size) {
      throw new CorruptMessageError(`a piece of the snapshot at byte ${position}, where ${download.position} is due`);
    }
    download.parts.push(unalignedRecords.slice());
    download.position = end;
    return end < size ? { changed: [] } : this.#install(download);
  }

  #install({ id, parts }: Download): FollowResult {
    this.#download = undefined;
    const after = imageOf({ ...id, records: concatenated(parts) });
    this.#expectCluster(after.clusterId);
    if (after.endOffset < this.#image.endOffset || after.epoch < this.#image.epoch) {
      return refuse(rolledBack(`snapshot ends at ${after.endOffset}, before offset ${this.#image.endOffset}`));
    }
    const changed = imageDiff(this.#image, after);
    this.#image = after;
    this.#noteRemovals(changed);
    this.#advance();
    return { changed };
  }

  #expectCluster(clusterId: string): void {
    const known = this.#seen.clusterId;
    if (known !== undefined && known !== clusterId) {
      throw new CorruptMessageError(`it is that of cluster ${clusterId}, not of ${known}`);
    }
  }

  #noteRemovals(changed: readonly ImageChange[]): void {
    for (const change of changed) {
      if (change.kind === "topic" && !this.#image.topics.has(change.topicId)) this.#removedTopics.push(change.topicId);
    }
  }

  #advance(): void {
    const { clusterId, epoch, endOffset } = this.#image;
    this.#seen = {
      clusterId: clusterId === "" ? this.#seen.clusterId : clusterId,
      epoch: Math.max(epoch, this.#seen.epoch),
      endOffset: Math.max(endOffset, this.#seen.endOffset),
    };
  }

  #refuseError(error: ErrorName): FollowResult {
    if (error === "INCONSISTENT_CLUSTER_ID") {
      return refuse(`the controller belongs to another cluster than ${this.#seen.clusterId}`);
    }
    return refuse(`the controller refuses to tell the metadata: ${error}, ${errorMessage(error)}`);
  }
}

function rolledBack(what: string): string {
  return `the controller's ${what}, which was seen before: was the server restored from an old disk?`;
}

function refuse(error: string): FollowResult {
  return { changed: [], error };
}
