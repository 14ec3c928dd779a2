import type { Chunk, PartitionKey, StoredLog, StoreOperation } from "../../log/stored-log.ts";
import type { LogStore } from "../../runtime/log-store.ts";
import { StoredLogs } from "./stored-logs.ts";

/** A disk that outlives the stores opened on it. */
export class SimulatedDisk {
  logs = StoredLogs.empty;
}

/** A store on a disk without delay or faults. Like every store it takes nothing more after a write has failed. */
export class SimulatedLogStore implements LogStore {
  readonly #disk: SimulatedDisk;
  #failure: unknown;
  #closed = false;

  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
  }

  async *load(): AsyncGenerator<StoredLog> {
    yield* this.#disk.logs.load();
  }

  async write(operations: readonly StoreOperation[]): Promise<void> {
    if (this.#closed) throw new Error("the store is closed");
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#disk.logs = this.#disk.logs.apply(operations);
    } catch (failure) {
      this.#failure = failure;
      throw failure;
    }
  }

  async read(key: PartitionKey, fromOffset: number, maxBytes: number): Promise<readonly Chunk[]> {
    if (this.#closed) throw new Error("the store is closed");
    // What a store gives is in a buffer of its own.
    return this.#disk.logs.read(key, fromOffset, maxBytes).map((chunk) => ({ ...chunk, bytes: chunk.bytes.slice() }));
  }

  close(): void {
    this.#closed = true;
  }
}
