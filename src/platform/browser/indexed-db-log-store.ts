import type { Chunk, ChunkDescriptor, LogMetadata } from "../../log/stored-log.ts";
import type { PartitionKey, StoredLog, StoreOperation } from "../../log/stored-log.ts";
import type { LogStore } from "../../runtime/log-store.ts";
import type { Durability } from "../../broker/storage-identity.ts";
import { cutChunk } from "../../log/cut-chunk.ts";
import type { DirectoryDatabase } from "./directory-database.ts";
import { StoreUnavailableError, storageError } from "./errors.ts";
import { result, resultIfReadable } from "./idb-request.ts";

/**
 * Logs in IndexedDB. Three stores share one transaction:
 *
 * - `metadata`: PartitionKey → {@link MetadataRow}. Its log number is a small integer, so that chunk keys stay short.
 * - `chunks`: [log number, last offset] → the chunk's bytes. The first key at or after an offset is its chunk's.
 * - `chunk-index`: the same keys → a {@link ChunkDescriptor}, so that a start and a look-up never read the bytes.
 */
interface MetadataRow {
  readonly logNumber: number;
  readonly metadata: LogMetadata;
}

/** Chromium fails a `getAll` whose result is beyond about 127 MB, so results are taken in parts of this size. */
const READ_PART_BYTES = 32 * 1024 * 1024;

/** A browser that is short of memory, say, may not read for a moment what it reads well afterwards. */
const SECOND_LOOK_MS = 1000;

/** Index rows are about a hundred bytes each. */
const INDEX_PAGE_ROWS = 1000;

export async function openIndexedDbLogStore(database: DirectoryDatabase, durability: Durability): Promise<LogStore> {
  const store = new IndexedDbLogStore(database, durability);
  await store.open();
  return store;
}

class IndexedDbLogStore implements LogStore {
  readonly #database: DirectoryDatabase;
  readonly #durability: Durability;
  readonly #logNumbers = new Map<PartitionKey, number>();
  #nextLogNumber = 0;

  constructor(database: DirectoryDatabase, durability: Durability) {
    this.#database = database;
    this.#durability = durability;
  }

  async open(): Promise<void> {
    await this.#reading("reading the metadata of the logs", async (transaction) => {
      for (const key of await keysOfLogs(transaction)) {
        const { logNumber } = await metadataRow(transaction, key);
        this.#logNumbers.set(key, logNumber);
        this.#nextLogNumber = Math.max(this.#nextLogNumber, logNumber + 1);
      }
    });
  }

  async *load(): AsyncGenerator<StoredLog> {
    for (const key of await this.#reading("reading which logs there are", keysOfLogs)) {
      const log = await this.#reading("loading the logs", (transaction) => loadLog(transaction, key));
      yield { ...log, tail: await this.#lookAgain(this.#logNumber(key), log.tail) };
    }
  }

  write(operations: readonly StoreOperation[], durability: Durability = "strict"): Promise<void> {
    const stores = ["metadata", "chunks", "chunk-index"] as const;
    const weaker = this.#durability === "relaxed" ? "relaxed" : durability;
    return this.#database.write(stores, weaker, "writing to the logs", async (transaction) => {
      const underWay: Promise<void>[] = [];
      for (const operation of operations) {
        underWay.push(this.#apply(transaction, operation));
        // These read before they write, so what follows must wait; the rest is one burst of requests.
        const reads = operation.type === "truncate" || operation.type === "replace-chunks";
        if (reads) await Promise.all(underWay.splice(0));
      }
      await Promise.all(underWay);
    });
  }

  async read(key: PartitionKey, fromOffset: number, maxBytes: number): Promise<readonly Chunk[]> {
    const logNumber = this.#logNumbers.get(key);
    if (logNumber === undefined) return [];
    const chunks = await this.#reading("reading a log", async (transaction) => {
      const descriptors = await descriptorsThatFit(transaction, logNumber, fromOffset, maxBytes);
      return readChunks(transaction, logNumber, descriptors);
    });
    return this.#lookAgain(logNumber, chunks);
  }

  close(): void {
    this.#database.close();
  }

  /** Queues the operation's requests at once, up to the first whose answer it needs. */
  async #apply(transaction: IDBTransaction, operation: StoreOperation): Promise<void> {
    switch (operation.type) {
      case "append":
        return append(transaction, this.#logNumber(operation.key), operation.chunk);
      case "put-metadata":
        return this.#putMetadata(transaction, operation.key, operation.metadata);
      case "truncate":
        return truncate(transaction, this.#logNumber(operation.key), operation.offset);
      case "delete-chunks":
        return deleteChunks(transaction, chunksEndingBelow(this.#logNumber(operation.key), operation.offset));
      case "replace-chunks":
        return replaceChunks(transaction, this.#logNumber(operation.key), operation);
      case "delete-log":
        return this.#deleteLog(transaction, operation.key);
    }
  }

  #putMetadata(transaction: IDBTransaction, key: PartitionKey, metadata: LogMetadata): void {
    let logNumber = this.#logNumbers.get(key);
    if (logNumber === undefined) {
      logNumber = this.#nextLogNumber++;
      this.#logNumbers.set(key, logNumber);
    }
    const row: MetadataRow = { logNumber, metadata };
    transaction.objectStore("metadata").put(row, key);
  }

  #deleteLog(transaction: IDBTransaction, key: PartitionKey): void {
    const logNumber = this.#logNumbers.get(key);
    if (logNumber === undefined) return;
    deleteChunks(transaction, chunksFrom(logNumber, 0));
    transaction.objectStore("metadata").delete(key);
    this.#logNumbers.delete(key);
  }

  #logNumber(key: PartitionKey): number {
    const logNumber = this.#logNumbers.get(key);
    if (logNumber === undefined) throw new StoreUnavailableError(`the log ${key} has no metadata in this directory`);
    return logNumber;
  }

  /** Reads once more, after a while, what was not to be read. */
  async #lookAgain(logNumber: number, chunks: readonly Chunk[]): Promise<readonly Chunk[]> {
    if (chunks.every(isRead)) return chunks;
    await new Promise((resolve) => setTimeout(resolve, SECOND_LOOK_MS));
    return this.#reading("reading a log again", async (transaction) => {
      const again = chunks.map((chunk) => (isRead(chunk) ? [chunk] : readChunks(transaction, logNumber, [chunk])));
      return (await Promise.all(again)).flat();
    });
  }

  async #reading<T>(doing: string, work: (transaction: IDBTransaction) => Promise<T>): Promise<T> {
    try {
      return await work(this.#database.read(["metadata", "chunks", "chunk-index"]));
    } catch (cause) {
      throw storageError(cause, doing);
    }
  }
}

/** Every chunk that holds `offset` or anything above it. */
function chunksFrom(logNumber: number, offset: number): IDBKeyRange {
  return IDBKeyRange.bound([logNumber, offset], [logNumber, Infinity]);
}

function chunksEndingBelow(logNumber: number, offset: number): IDBKeyRange {
  return IDBKeyRange.bound([logNumber, 0], [logNumber, offset], false, true);
}

async function append(transaction: IDBTransaction, logNumber: number, chunk: Chunk): Promise<void> {
  const index = transaction.objectStore("chunk-index");
  const present = result(index.count(chunksFrom(logNumber, chunk.baseOffset)));
  addChunk(transaction, logNumber, chunk);
  // `add` refuses the same key; a chunk that overlaps another under a different key is found by counting first.
  if ((await present) > 0) throw new DOMException(`offset ${chunk.baseOffset} exists`, "ConstraintError");
}

function addChunk(transaction: IDBTransaction, logNumber: number, chunk: Chunk): void {
  const { bytes, baseOffset, lastOffset, sizeInBytes, maxTimestamp } = chunk;
  const descriptor: ChunkDescriptor = { baseOffset, lastOffset, sizeInBytes, maxTimestamp };
  // Cloning a view clones the whole buffer behind it.
  const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
  transaction.objectStore("chunks").add(own, [logNumber, lastOffset]);
  transaction.objectStore("chunk-index").add(descriptor, [logNumber, lastOffset]);
}

async function truncate(transaction: IDBTransaction, logNumber: number, offset: number): Promise<void> {
  const removed = chunksFrom(logNumber, offset);
  const [holder] = (await result(transaction.objectStore("chunk-index").getAll(removed, 1))) as ChunkDescriptor[];
  if (holder === undefined) return;
  let kept: Chunk | undefined;
  if (holder.baseOffset < offset) {
    const [whole] = await readChunks(transaction, logNumber, [holder]);
    // What is kept of it may be committed: better to fail than to go on without.
    if (!isRead(whole!)) throw new StoreUnavailableError(`the chunk at offset ${holder.baseOffset} cannot be read`);
    kept = cutChunk(whole!, offset);
  }
  deleteChunks(transaction, removed);
  if (kept !== undefined) addChunk(transaction, logNumber, kept);
}

async function replaceChunks(
  transaction: IDBTransaction,
  logNumber: number,
  { baseOffset, lastOffset, chunks }: Extract<StoreOperation, { readonly type: "replace-chunks" }>,
): Promise<void> {
  const replaced = IDBKeyRange.bound([logNumber, baseOffset], [logNumber, lastOffset]);
  const old = (await result(transaction.objectStore("chunk-index").getAll(replaced))) as ChunkDescriptor[];
  for (const list of [old, chunks]) {
    const fits = list[0]?.baseOffset === baseOffset && list.at(-1)?.lastOffset === lastOffset;
    if (!fits) throw new DOMException(`no chunks from ${baseOffset} to ${lastOffset}`, "ConstraintError");
  }
  deleteChunks(transaction, replaced);
  for (const chunk of chunks) addChunk(transaction, logNumber, chunk);
}

function deleteChunks(transaction: IDBTransaction, range: IDBKeyRange): void {
  transaction.objectStore("chunks").delete(range);
  transaction.objectStore("chunk-index").delete(range);
}

async function keysOfLogs(transaction: IDBTransaction): Promise<readonly PartitionKey[]> {
  return (await result(transaction.objectStore("metadata").getAllKeys())) as PartitionKey[];
}

/** One at a time: with thousands of producers a row is a megabyte. */
async function metadataRow(transaction: IDBTransaction, key: PartitionKey): Promise<MetadataRow> {
  return (await result(transaction.objectStore("metadata").get(key))) as MetadataRow;
}

async function loadLog(transaction: IDBTransaction, key: PartitionKey): Promise<StoredLog> {
  const { logNumber, metadata } = await metadataRow(transaction, key);
  const chunks: ChunkDescriptor[] = [];
  for await (const page of descriptorPages(transaction, logNumber, metadata.logStartOffset)) chunks.push(...page);
  const tail = chunks.filter((chunk) => chunk.lastOffset >= metadata.producerSnapshot.offset);
  return { metadata, chunks, tail: await readChunks(transaction, logNumber, tail) };
}

async function descriptorsThatFit(
  transaction: IDBTransaction,
  logNumber: number,
  fromOffset: number,
  maxBytes: number,
): Promise<readonly ChunkDescriptor[]> {
  const fitting: ChunkDescriptor[] = [];
  let bytes = 0;
  for await (const page of descriptorPages(transaction, logNumber, fromOffset, 64)) {
    for (const descriptor of page) {
      bytes += descriptor.sizeInBytes;
      if (bytes > maxBytes && fitting.length > 0) return fitting;
      fitting.push(descriptor);
    }
  }
  return fitting;
}

/** The descriptors from the chunk holding `offset` on, some at a time. */
async function* descriptorPages(
  transaction: IDBTransaction,
  logNumber: number,
  offset: number,
  pageRows = INDEX_PAGE_ROWS,
): AsyncGenerator<readonly ChunkDescriptor[]> {
  const index = transaction.objectStore("chunk-index");
  for (let from = offset; ; ) {
    const page = (await result(index.getAll(chunksFrom(logNumber, from), pageRows))) as ChunkDescriptor[];
    if (page.length > 0) yield page;
    if (page.length < pageRows) return;
    from = page.at(-1)!.lastOffset + 1;
  }
}

/**
 * The bytes of consecutive chunks: none for a chunk that cannot be read, as after a loss of power that tore what nobody
 * had flushed. The broker takes that for the damage that it is (R20), where a failed read would end it each time anew.
 */
async function readChunks(
  transaction: IDBTransaction,
  logNumber: number,
  descriptors: readonly ChunkDescriptor[],
): Promise<Chunk[]> {
  const store = transaction.objectStore("chunks");
  const chunks: Chunk[] = [];
  for (const part of partsOf(descriptors)) {
    const range = IDBKeyRange.bound([logNumber, part[0]!.lastOffset], [logNumber, part.at(-1)!.lastOffset]);
    let rows: readonly unknown[] | undefined = await resultIfReadable(store.getAll(range));
    if (rows?.length !== part.length) {
      rows = await Promise.all(part.map(({ lastOffset }) => resultIfReadable(store.get([logNumber, lastOffset]))));
    }
    for (const [position, descriptor] of part.entries()) {
      const row = rows[position];
      chunks.push({ ...descriptor, bytes: row instanceof Uint8Array ? row : new Uint8Array() });
    }
  }
  return chunks;
}

function isRead({ bytes }: Chunk): boolean {
  return bytes.length > 0;
}

/** Splits chunks so that each part is one chunk, or fits one `getAll`. */
function partsOf(descriptors: readonly ChunkDescriptor[]): ChunkDescriptor[][] {
  const parts: ChunkDescriptor[][] = [];
  let bytes = Infinity;
  for (const descriptor of descriptors) {
    bytes += descriptor.sizeInBytes;
    if (bytes > READ_PART_BYTES) {
      parts.push([]);
      bytes = descriptor.sizeInBytes;
    }
    parts.at(-1)!.push(descriptor);
  }
  return parts;
}
