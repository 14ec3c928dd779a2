/** Thrown when the storage directory cannot be trusted or reached any more. */
export class StoreUnavailableError extends Error {
  override readonly name = "StoreUnavailableError";
}

/** Thrown when the browser's quota for this site, or the disk under it, is used up. */
export class StorageFullError extends Error {
  override readonly name = "StorageFullError";
}

/** Thrown when a peer cannot be dialled on any path: it is gone, or it declines. A relay would not help. */
export class PeerUnreachableError extends Error {
  override readonly name = "PeerUnreachableError";
}

/** Puts what IndexedDB reports into words that name the cause and the remedy. */
export function storageError(cause: unknown, doing: string): Error {
  if (cause instanceof StoreUnavailableError || cause instanceof StorageFullError) return cause;
  const name = cause instanceof Error ? cause.name : "";
  if (name === "QuotaExceededError") {
    return new StorageFullError(
      `the browser's storage quota was used up while ${doing}; free disk space, shorten the retention of topics, ` +
        "or allow this site persistent storage, then reload the page",
      { cause },
    );
  }
  return new StoreUnavailableError(`${failure(name, cause)} while ${doing}; reload the page to start anew`, { cause });
}

function failure(name: string, cause: unknown): string {
  switch (name) {
    case "ConstraintError":
      return "an offset was written a second time";
    case "InvalidStateError":
      return "the database was closed";
    case "AbortError":
      return "the browser aborted the transaction";
    case "NotReadableError":
    case "DataError":
    case "UnknownError":
      return `the browser could not use the files of the database (${describe(cause)})`;
    default:
      return `IndexedDB failed (${describe(cause)})`;
  }
}

export function describe(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
