import { randomUUID } from "node:crypto";
import { mkdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { open } from "lmdb";
import type { Database, Key, RootDatabase } from "lmdb";
import type { MetadataSnapshot } from "../../src/metadata/metadata-batch.ts";
import { assert } from "../../src/protocol/assert.ts";
import { readBatchHeader } from "../../src/protocol/record-batch.ts";
import { decodeSnapshot, decodeState, encodeSnapshot, encodeState } from "./cluster-rows.ts";
import type { ClusterState } from "./cluster-rows.ts";
import { checkedLog } from "./checked-log.ts";
import { expectWritable, flawOfLmdbFile } from "./lmdb-file.ts";
import { ClusterLimitError, DamagedMetadataError } from "./metadata-store.ts";
import type { MetadataStore, StoredBatch, StoredCluster } from "./metadata-store.ts";
import { isUnusedLog } from "./unused-log.ts";

export interface LmdbMetadataStoreOptions {
  readonly dataDir: string;
  /**
   * One more takes the place of one in which no broker ever was and nothing was decided, so that whoever names clusters
   * that nobody uses cannot take the places of all others.
   */
  readonly maxClusters: number;
  /** Whether a cluster is open, so that it stays even if it is unused. Unless given, all are. */
  readonly isOpen?: (cluster: string) => boolean;
  /** Where controller epochs start at the least: an operator's way past what a restored backup does not know (B16). */
  readonly minControllerEpoch?: number;
}

/**
 * Metadata logs in LMDB: embedded, so there is no second server to run, and each commit is one atomic, synced change of
 * one file. Commits run in LMDB's own thread; reads happen only at start.
 *
 * One server at a time writes. Each leaves its mark when it opens the file, and a write under another's mark fails, so
 * a server that was thought dead cannot add to a log that goes on elsewhere.
 */
export class LmdbMetadataStore implements MetadataStore {
  readonly #path: string;
  readonly #options: LmdbMetadataStoreOptions;
  readonly #mark = Buffer.from(randomUUID());
  readonly #root: RootDatabase<Buffer, string>;
  readonly #states: Database<Buffer, string>;
  readonly #logs: Database<Buffer, Key[]>;
  readonly #snapshots: Database<Buffer, string>;
  /** Clusters that were found to be used, which they stay. */
  readonly #used = new Set<string>();

  constructor(options: LmdbMetadataStoreOptions) {
    this.#options = options;
    mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
    this.#path = join(options.dataDir, "metadata.mdb");
    expectWritable(this.#path);
    const flaw = flawOfLmdbFile(this.#path);
    if (flaw !== undefined) throw damaged(this.#path, flaw);
    let root: RootDatabase<Buffer, string> | undefined;
    try {
      root = openFile(this.#path);
      fillUp(root, this.#path);
      this.#root = root;
      this.#states = openTable(root, "states", this.#path);
      this.#logs = openTable(root, "logs", this.#path);
      this.#snapshots = openTable(root, "snapshots", this.#path);
      for (const rows of [this.#states, this.#logs, this.#snapshots]) expectReadable(rows, this.#path);
      root.putSync(MARK, this.#mark);
    } catch (cause) {
      void root?.close();
      if (cause instanceof DamagedMetadataError) throw cause;
      const failure = `cannot open ${this.#path}: ${messageOf(cause)}`;
      // The others are the system's: a full disk is no reason to take a backup.
      if (!messageOf(cause).startsWith("MDB_")) throw new Error(failure, { cause });
      throw new DamagedMetadataError(`${failure}; ${REMEDY}`, { cause });
    }
  }

  async open(cluster: string): Promise<StoredCluster> {
    return await this.#write(() => {
      const stored = this.#states.get(cluster);
      const { minControllerEpoch = 0, maxClusters } = this.#options;
      if (stored === undefined && this.#states.getKeysCount() >= maxClusters && !this.#giveUpUnused()) {
        throw new ClusterLimitError(`the server keeps ${maxClusters} clusters, and takes no more`);
      }
      const state = stored === undefined ? newState() : this.#checked(cluster, () => decodeState(stored));
      const controllerEpoch = Math.max(state.controllerEpoch + 1, minControllerEpoch);
      const metadata = this.#checked(cluster, () => this.#read(cluster, state));
      this.#states.put(cluster, encodeState({ ...state, controllerEpoch }));
      return { clusterId: state.clusterId, controllerEpoch, ...metadata };
    });
  }

  async append(cluster: string, batches: readonly StoredBatch[]): Promise<void> {
    await this.#write(() => {
      const state = this.#state(cluster);
      let { endOffset } = state;
      for (const { baseOffset, batch } of batches) {
        assert(baseOffset === endOffset, `offset ${baseOffset} does not follow the log's end at ${endOffset}`);
        this.#logs.put([cluster, baseOffset], Buffer.from(batch));
        endOffset = endOffsetOf(batch);
      }
      this.#states.put(cluster, encodeState({ ...state, endOffset }));
    });
  }

  async saveSnapshot(cluster: string, snapshot: MetadataSnapshot): Promise<void> {
    await this.#write(() => {
      const { endOffset } = this.#state(cluster);
      assert(snapshot.endOffset <= endOffset, "a snapshot stands for what is in the log");
      this.#snapshots.put(cluster, encodeSnapshot(snapshot));
      const covered = [...this.#logs.getKeys({ start: [cluster, 0], end: [cluster, snapshot.endOffset] })];
      for (const key of covered) this.#logs.remove(key);
    });
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  /** Runs `change` in a transaction of its own; whatever it throws undoes it. Resolves once it is on the disk. */
  async #write<Result>(change: () => Result): Promise<Result> {
    try {
      return await this.#root.childTransaction(() => {
        if (!this.#root.get(MARK)?.equals(this.#mark)) {
          throw new Error(`another server has taken over ${this.#path}; stop one of the two`);
        }
        return change();
      });
    } catch (error) {
      throw await commitFailure(error, this.#path);
    }
  }

  #state(cluster: string): ClusterState {
    const stored = this.#states.get(cluster);
    assert(stored !== undefined, "a cluster is opened before it is written");
    return decodeState(stored);
  }

  /** Deletes one cluster that is not open and holds nothing. Whether there was one. */
  #giveUpUnused(): boolean {
    const { isOpen = () => true } = this.#options;
    for (const cluster of this.#states.getKeys()) {
      if (this.#used.has(cluster) || isOpen(cluster)) continue;
      if (this.#isUnused(cluster)) {
        for (const key of [...this.#logs.getKeys(rowsOf(cluster))]) this.#logs.remove(key);
        this.#states.remove(cluster);
        return true;
      }
      this.#used.add(cluster);
    }
    return false;
  }

  #isUnused(cluster: string): boolean {
    if (this.#snapshots.doesExist(cluster)) return false;
    try {
      if (!isUnusedLog(this.#logs.getRange(rowsOf(cluster)).map(({ value }) => plainBytes(value)))) return false;
      // Decisions that are missing are no reason to delete what is left.
      this.#read(cluster, this.#state(cluster));
      return true;
    } catch {
      return false;
    }
  }

  #read(cluster: string, { endOffset }: ClusterState): Pick<StoredCluster, "snapshot" | "log"> {
    const stored = this.#snapshots.get(cluster);
    const snapshot = stored === undefined ? undefined : decodeSnapshot(plainBytes(stored));
    const range = this.#logs.getRange(rowsOf(cluster));
    const rows = Array.from(range, ({ key, value }) => ({ baseOffset: key[1] as number, batch: plainBytes(value) }));
    return { snapshot, log: checkedLog(rows, snapshot?.endOffset ?? 0, endOffset) };
  }

  #checked<Result>(cluster: string, read: () => Result): Result {
    try {
      return read();
    } catch (cause) {
      const message = `the metadata of cluster ${cluster} in ${this.#path} is damaged: ${messageOf(cause)}; ${REMEDY}`;
      throw new DamagedMetadataError(message, { cause });
    }
  }
}

const MARK = "writer";

const TABLES = 3;

const REMEDY = "restore the file from a backup, or move it away to start with empty clusters";

function openFile(path: string): RootDatabase<Buffer, string> {
  return open<Buffer, string>({
    path,
    noSubdir: true,
    encoding: "binary",
    maxDbs: TABLES,
    // A commit then includes the sync of the file, so its promise is a promise of durability.
    overlappingSync: false,
    // The controllers gather their own batches; and with it a failed commit rejects promises that nobody holds.
    eventTurnBatching: false,
  });
}

/** Makes the table only while the file has not got them all, so that one whose name was lost is not founded anew. */
function openTable<K extends Key>(root: RootDatabase, name: string, path: string): Database<Buffer, K> {
  // This is written beside the names, not among them: the mark comes last, so with it nothing is to be made any more.
  const { entryCount } = root.getStats() as { entryCount: number };
  const options = { name, encoding: "binary", create: entryCount <= TABLES } as const;
  const table: Database<Buffer, K> | undefined = root.openDB<Buffer, K>(options);
  if (table === undefined) throw damaged(path, `it has lost its ${name}`);
  return table;
}

function newState(): ClusterState {
  return { clusterId: randomUUID(), controllerEpoch: 0, endOffset: 0 };
}

function rowsOf(cluster: string): { readonly start: Key[]; readonly end: Key[] } {
  return { start: [cluster, 0], end: [cluster, Number.POSITIVE_INFINITY] };
}

function endOffsetOf(batch: Uint8Array): number {
  return readBatchHeader(batch).lastOffset + 1;
}

/**
 * LMDB maps the file into memory: to read a page beyond the file's end would end the process. That the file ends early
 * does not mean that anything is lost, for LMDB does not write pages that one transaction both took and gave back. So
 * it is filled up with zeros, which are no page of rows, and pass no checksum. But LMDB writes whole pages: of one that
 * is there in part the rest is lost, and with zeros for it the page would seem to have its rows.
 */
function fillUp(root: RootDatabase, path: string): void {
  // A transaction keeps another server from writing meanwhile, whose pages would be cut off.
  root.transactionSync(() => {
    const { pageSize, lastPageNumber } = root.getStats() as { pageSize: number; lastPageNumber: number };
    const length = pageSize * (lastPageNumber + 1);
    const { size } = statSync(path);
    if (size >= length) return;
    if (size % pageSize !== 0) throw damaged(path, `it is cut short to ${size} bytes`);
    truncateSync(path, length);
  });
}

/**
 * Throws unless all pages of rows are there, so that nothing is written beside those that are lost. It goes backwards,
 * for where LMDB comes forwards to what is no page of rows, it ends the process.
 */
function expectReadable(rows: Database<Buffer, Key>, path: string): void {
  const { entryCount } = rows.getStats() as { entryCount: number };
  const lost = entryCount - rows.getKeysCount({ reverse: true });
  if (lost !== 0) throw damaged(path, `${lost} of ${entryCount} rows cannot be reached`);
}

/** What went wrong on the disk comes as a second promise, which must not be left alone. */
async function commitFailure(error: unknown, path: string): Promise<unknown> {
  if (!(error instanceof Error) || !("commitError" in error)) return error;
  const cause = await Promise.resolve(error.commitError).catch((reason: unknown) => reason);
  return new Error(`cannot write ${path}: ${messageOf(cause)}`, { cause });
}

function damaged(path: string, flaw: string): DamagedMetadataError {
  return new DamagedMetadataError(`${path} is damaged: ${flaw}; ${REMEDY}`);
}

/** Others take bytes for plain arrays: a Buffer's `slice` does not copy. */
function plainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
