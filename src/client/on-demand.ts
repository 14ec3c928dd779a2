/** Code that a client loads when it connects, and not before, for pages that have no such client. */
export const loadAdmin = onDemand(() => import("./admin/admin-calls.ts"));
export const loadFetcher = onDemand(() => import("./fetcher.ts"));
export const loadGroup = onDemand(() => import("./group/consumer-group.ts"));
export const loadSender = onDemand(() => import("./sender.ts"));

/** For whoever cannot have clients wait: what is loaded already takes no time. */
export async function loadAll(): Promise<void> {
  await Promise.all([loadAdmin(), loadFetcher(), loadGroup(), loadSender()]);
}

function onDemand<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: T | undefined;
  return async () => (loaded ??= await load());
}
