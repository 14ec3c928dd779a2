/**
 * Promises for raw IndexedDB requests: idb's proxies cost too much in the hot path.
 *
 * A promise of a request may be awaited within its transaction, since its continuation runs before the transaction
 * can commit by itself. Awaiting anything else there ends the transaction.
 */
export function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** What reads are refused with where the browser has a row and the files behind it are gone, cut short, or made no sense. */
const UNREADABLE = ["UnknownError", "NotReadableError", "DataError"];

/** The same, but undefined for what the browser has and cannot read. The transaction goes on. */
export function resultIfReadable<T>(request: IDBRequest<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = (event) => {
      if (!UNREADABLE.includes(request.error?.name ?? "")) return reject(request.error);
      event.preventDefault();
      resolve(undefined);
    };
  });
}

/** Resolves once the transaction is as durable as it was asked to be; rejects when none of it happened. */
export function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () =>
      reject(transaction.error ?? new DOMException("the transaction was aborted", "AbortError"));
  });
}
