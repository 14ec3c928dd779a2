import { openDB, unwrap } from "idb";
import type { Durability, StorageIdentity } from "../../broker/storage-identity.ts";
import { StoreUnavailableError, storageError } from "./errors.ts";
import { committed, result } from "./idb-request.ts";

/**
 * The IndexedDB database of one storage directory: who it is, who may write to it, and its logs.
 *
 * `identity` holds two rows, the `StorageIdentity` and the writer token. Every open mints a token, and every write
 * transaction first checks that it is still there. So even if the Web Lock on the directory were stolen, the former
 * holder's writes fail as a whole instead of interleaving with the new holder's.
 */
export type StoreName = "identity" | "metadata" | "chunks" | "chunk-index";

const VERSION = 1;
const STORES: readonly StoreName[] = ["identity", "metadata", "chunks", "chunk-index"];
const IDENTITY_KEY = "identity";
const WRITER_KEY = "writer";

export class DirectoryDatabase {
  readonly #idb: IDBDatabase;
  readonly #token = crypto.randomUUID();
  readonly #lost: (reason: string) => void;
  /** Why nothing can be written any more, what is under way included. */
  #failure: Error | undefined;
  #closed = false;

  private constructor(idb: IDBDatabase, lost: (reason: string) => void) {
    this.#idb = idb;
    this.#lost = lost;
  }

  /**
   * Opens the database, creating it with `fresh` as its identity where it does not exist. Becomes its one writer.
   * `lost` is called at most once, when the database is closed or cleared under its owner.
   */
  static async open(name: string, fresh: StorageIdentity, lost: (reason: string) => void): Promise<DirectoryDatabase> {
    let opened: DirectoryDatabase | undefined;
    let lostEarly: string | undefined;
    const end = (reason: string) => {
      if (opened === undefined) lostEarly = reason;
      else opened.#end(reason);
    };
    const database = await openUnblocked(name, fresh, end);
    opened = new DirectoryDatabase(database, lost);
    if (lostEarly !== undefined) throw new StoreUnavailableError(lostEarly);
    await opened.#claim();
    return opened;
  }

  /** Undefined when the row is missing: then this is no longer the storage it was. */
  async identity(): Promise<StorageIdentity | undefined> {
    const transaction = this.read(["identity"]);
    return (await result(transaction.objectStore("identity").get(IDENTITY_KEY))) as StorageIdentity | undefined;
  }

  /** Identity rows are always flushed, whatever the durability of the logs. */
  saveIdentity(identity: StorageIdentity): Promise<void> {
    return this.write([], "strict", "saving the storage identity", (transaction) => {
      transaction.objectStore("identity").put(identity, IDENTITY_KEY);
    });
  }

  read(stores: readonly StoreName[]): IDBTransaction {
    this.#expectUsable();
    try {
      return this.#idb.transaction([...stores], "readonly");
    } catch (cause) {
      throw storageError(cause, "opening a read transaction");
    }
  }

  /**
   * Runs `change` in one transaction and resolves once that is durable. Writes take effect in the order of the calls.
   * After the first failure none is accepted, nor are those already under way: a log with a hole would be worse.
   *
   * `change` may await requests of this transaction and nothing else.
   */
  async write(
    stores: readonly StoreName[],
    durability: Durability,
    doing: string,
    change: (transaction: IDBTransaction) => void | Promise<void>,
  ): Promise<void> {
    this.#expectUsable();
    try {
      const transaction = this.#idb.transaction(["identity", ...stores], "readwrite", { durability });
      await this.#run(transaction, change);
    } catch (cause) {
      this.#failure ??= storageError(cause, doing);
      throw this.#failure;
    }
  }

  /** Takes nothing more. What is under way is finished: whoever opens the database next waits for it. */
  close(): void {
    this.#closed = true;
    this.#idb.close();
  }

  #expectUsable(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw new StoreUnavailableError("the storage directory was closed by its owner");
  }

  async #run(transaction: IDBTransaction, change: (transaction: IDBTransaction) => void | Promise<void>) {
    const outcome = committed(transaction);
    const changed = async () => change(transaction);
    try {
      await Promise.all([this.#checkWriter(transaction), changed()]);
      transaction.commit();
    } catch (cause) {
      abort(transaction);
      await outcome.catch(() => {});
      throw transaction.error ?? cause;
    }
    await outcome;
  }

  async #checkWriter(transaction: IDBTransaction): Promise<void> {
    const token = await result(transaction.objectStore("identity").get(WRITER_KEY));
    if (this.#failure !== undefined) throw this.#failure;
    if (token !== this.#token) {
      throw new StoreUnavailableError("another tab has taken over this storage directory; reload the page");
    }
  }

  async #claim(): Promise<void> {
    const transaction = this.#idb.transaction("identity", "readwrite", { durability: "strict" });
    transaction.objectStore("identity").put(this.#token, WRITER_KEY);
    await committed(transaction).catch((cause) => {
      this.#idb.close();
      throw storageError(cause, "taking over the storage directory");
    });
  }

  #end(reason: string): void {
    if (this.#failure !== undefined || this.#closed) return;
    this.#failure = new StoreUnavailableError(reason);
    this.#idb.close();
    this.#lost(reason);
  }
}

async function openUnblocked(
  name: string,
  fresh: StorageIdentity,
  end: (reason: string) => void,
): Promise<IDBDatabase> {
  let refuse: (cause: Error) => void = () => {};
  const blocked = new Promise<never>((_resolve, reject) => {
    refuse = reject;
  });
  const opening = openDB(name, VERSION, {
    upgrade(database, _oldVersion, _newVersion, transaction) {
      for (const store of STORES) database.createObjectStore(store);
      // In the transaction that creates the stores, so that a directory without an identity was damaged, not young.
      void unwrap(transaction).objectStore("identity").add(fresh, IDENTITY_KEY);
    },
    blocked() {
      refuse(new StoreUnavailableError(`an older version of this page has ${name} open; close the site's other tabs`));
    },
    blocking() {
      end("another page asked that the storage directory be deleted or upgraded; reload the page");
    },
    terminated() {
      end("the browser closed the storage directory, as it does when site data is cleared; reload the page");
    },
  });
  try {
    return unwrap(await Promise.race([opening, blocked]));
  } catch (cause) {
    void opening.then((late) => late.close()).catch(() => {});
    throw storageError(cause, `opening ${name}`);
  }
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It has aborted by itself, which is how most failures come to light.
  }
}
