import { newIdentity } from "../../broker/storage-identity.ts";
import type { Durability, StorageIdentity } from "../../broker/storage-identity.ts";
import { DirectoryDatabase } from "./directory-database.ts";
import { StoreUnavailableError, storageError } from "./errors.ts";
import { holdLock } from "./web-lock.ts";

/**
 * Picks the storage a broker lives in. A profile may keep several directories, one for each broker that ever ran at
 * the same time; a tab takes over one that no live tab holds, or makes a new one.
 *
 * The Web Lock on the directory is held for life: it keeps a duplicated tab out, is freed by the browser when the tab
 * dies, and shields the tab from being frozen.
 */
export interface StorageDirectory {
  readonly database: DirectoryDatabase;
  /** As found. Its durability tells what the data on disk is worth, not what the broker asks for from now on. */
  readonly identity: StorageIdentity;
  saveIdentity(identity: StorageIdentity): Promise<void>;
  /** Made because another could not be found or opened, which the next start should look for once more. */
  readonly isStandIn: boolean;
  /** Closes the database and gives the lock back. */
  release(): void;
}

export interface StorageDirectoryOptions {
  readonly cluster: string;
  readonly durability: Durability;
  /** The directory this tab held before its reload, as far as it remembers. */
  readonly hint: string | undefined;
  /** The directory that any tab was the last to use: preferred to others, but not waited for. */
  readonly latest: string | undefined;
  /** Directories that the cluster refused. They are kept as they are: another cluster may know them. */
  readonly refused: readonly string[];
  /** Called at most once: the directory can no longer be used, and why. */
  readonly lost: (reason: string) => void;
  /** Called for each directory that nobody holds but that cannot be opened, and is therefore passed over. */
  readonly unusable: (cause: Error) => void;
}

/** How long a reloaded page waits for its former document to let go of the directory. */
const HINT_WAIT_MS = 2000;
/**
 * How long any page does before it makes a directory of its own: a tab that was closed may hold its lock for a moment
 * more, and whoever is opened in its place should be the broker that it was. Only more tabs than ever before wait in vain.
 */
const CLOSING_WAIT_MS = 1000;
/** How long after the first look for a remembered directory the second one is. */
const SECOND_LOOK_MS = 1000;

export async function openStorageDirectory(given: StorageDirectoryOptions): Promise<StorageDirectory> {
  if (navigator.locks === undefined) {
    throw new StoreUnavailableError("a broker needs Web Locks, which browsers offer over https and on localhost only");
  }
  let isStandIn = false;
  const unusable = (cause: Error) => {
    isStandIn = true;
    given.unusable(cause);
  };
  const options = { ...given, unusable };
  const held: string[] = [];
  for (const directoryId of await existingDirectories(options)) {
    const isHint = directoryId === options.hint;
    const found = await takeOver(directoryId, isHint ? HINT_WAIT_MS : 0, options);
    if (typeof found === "object") return found;
    if (found === "held" && !isHint) held.push(directoryId);
  }
  const freed = await firstFreed(held, options.cluster);
  if (freed !== undefined) {
    const found = await takeOver(freed, CLOSING_WAIT_MS, options);
    if (typeof found === "object") return found;
  }
  const created = await lockAndOpen(crypto.randomUUID(), 0, options);
  if (created === "held") throw new StoreUnavailableError("another tab holds the lock of a new storage directory");
  return { ...created, isStandIn };
}

async function takeOver(
  directoryId: string,
  waitMs: number,
  options: StorageDirectoryOptions,
): Promise<StorageDirectory | "held" | "unusable"> {
  try {
    return await lockAndOpen(directoryId, waitMs, options);
  } catch (cause) {
    options.unusable(storageError(cause, `opening the storage directory ${directoryId}`));
    return "unusable";
  }
}

/** The first of the directories whose tab lets go of it; undefined if they stay held. */
async function firstFreed(held: readonly string[], cluster: string): Promise<string | undefined> {
  const freed = held.map(async (directoryId) => {
    const unlock = await holdLock(databaseName(cluster, directoryId), CLOSING_WAIT_MS, () => {});
    if (unlock === undefined) throw new StoreUnavailableError(`another tab holds the storage directory ${directoryId}`);
    unlock();
    return directoryId;
  });
  return await Promise.any(freed).catch(() => undefined);
}

/**
 * The remembered one first, then the one that was used last. If one of these is not listed, a second look follows:
 * Chromium leaves out what it cannot open just now, such as a database that processes of a killed browser still hold.
 * One that is gone is not made again: its name would promise its data.
 */
async function existingDirectories(options: StorageDirectoryOptions): Promise<string[]> {
  const { cluster, hint, latest, refused, unusable } = options;
  const isWanted = (directoryId: string) => !refused.includes(directoryId);
  const remembered = [...new Set([hint, latest])].filter((id) => id !== undefined).filter(isWanted);
  let listed = await listedDirectories(cluster);
  const isMissing = (directoryId: string) => !listed.includes(directoryId);
  if (remembered.some(isMissing)) {
    await new Promise((resolve) => setTimeout(resolve, SECOND_LOOK_MS));
    listed = await listedDirectories(cluster);
  }
  for (const directoryId of remembered.filter(isMissing)) {
    const why = "its data was removed, or the browser cannot read it";
    unusable(new StoreUnavailableError(`the storage directory ${directoryId}, used here before, is gone: ${why}`));
  }
  const rank = (directoryId: string) => [hint, latest, directoryId].indexOf(directoryId);
  return listed.filter(isWanted).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

async function listedDirectories(cluster: string): Promise<string[]> {
  const prefix = databaseName(cluster, "");
  const names = (await indexedDB.databases()).map(({ name = "" }) => name);
  return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
}

async function lockAndOpen(
  directoryId: string,
  waitMs: number,
  options: StorageDirectoryOptions,
): Promise<StorageDirectory | "held"> {
  const name = databaseName(options.cluster, directoryId);
  // Until it is handed over, a directory that is lost is one that cannot be used, and another takes its place.
  let handedOver = false;
  let lostBefore: string | undefined;
  const lost = onceOnly((reason) => {
    if (handedOver) options.lost(reason);
    else lostBefore = reason;
  });
  const stolen = () => lost("the lock on the storage directory was stolen; reload the page");
  const unlock = await holdLock(name, waitMs, stolen);
  if (unlock === undefined) return "held";
  let database: DirectoryDatabase | undefined;
  const release = () => {
    database?.close();
    unlock();
  };
  try {
    database = await DirectoryDatabase.open(name, newIdentity(directoryId, options.durability), lost);
    const identity = await database.identity();
    if (identity?.directoryId === directoryId) {
      const directory = await settle(database, identity, options.durability, release);
      if (lostBefore !== undefined) throw new StoreUnavailableError(lostBefore);
      handedOver = true;
      return directory;
    }
  } catch (cause) {
    release();
    throw cause;
  }
  // Storage that forgot who it is must not pass for what it was.
  release();
  indexedDB.deleteDatabase(name);
  throw new StoreUnavailableError("it has lost its identity, and is removed");
}

/**
 * A change of durability. Relaxed must be on record before the first relaxed write. Strict may be only once the
 * controller has been told what the last run was worth, that is with a registration that is complete.
 */
async function settle(
  database: DirectoryDatabase,
  found: StorageIdentity,
  durability: Durability,
  release: () => void,
): Promise<StorageDirectory> {
  const identity: StorageIdentity = durability === "relaxed" ? { ...found, durability } : found;
  if (identity.durability !== found.durability) await database.saveIdentity(identity);
  return {
    database,
    identity,
    saveIdentity(next) {
      const complete = next.pendingNonce === undefined;
      return database.saveIdentity({ ...next, durability: complete ? durability : identity.durability });
    },
    isStandIn: false,
    release,
  };
}

function onceOnly(call: (reason: string) => void): (reason: string) => void {
  let called = false;
  return (reason) => {
    if (called) return;
    called = true;
    call(reason);
  };
}

function databaseName(cluster: string, directoryId: string): string {
  return `tabstream/${cluster}/${directoryId}`;
}
