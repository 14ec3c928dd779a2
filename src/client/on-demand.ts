import { KafkaJSError, reasonOf } from "./errors.ts";

/** Code that a client loads when it connects, and not before, for pages that have no such client. */
export const loadAdmin = onDemand(() => import("./admin/admin-calls.ts"));
export const loadFetcher = onDemand(() => import("./fetcher.ts"));
export const loadGroup = onDemand(() => import("./group/consumer-group.ts"));
export const loadSender = onDemand(() => import("./sender.ts"));

/** For whoever cannot have clients wait: what is loaded already takes no time. */
export async function loadAll(): Promise<void> {
  await Promise.all([loadAdmin(), loadFetcher(), loadGroup(), loadSender()]);
}

/** Throws KafkaJSError if the code cannot be had, as when the server has a newer build than the page. */
export async function loadCode<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new KafkaJSError(`A part of the client cannot be loaded; reload the page: ${reasonOf(cause)}`, { cause });
  }
}

function onDemand<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: T | undefined;
  return async () => (loaded ??= await loadCode(load));
}
