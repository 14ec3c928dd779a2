import { deleteDB } from "idb";
import { expect, test } from "vitest";
import { cdp } from "vitest/browser";
import { newIdentity } from "../../../src/broker/storage-identity.ts";
import { partitionKey } from "../../../src/log/stored-log.ts";
import { DirectoryDatabase } from "../../../src/platform/browser/directory-database.ts";
import { StorageFullError } from "../../../src/platform/browser/errors.ts";
import { openIndexedDbLogStore } from "../../../src/platform/browser/indexed-db-log-store.ts";
import { chunk, loaded } from "../../contracts/log-store.contract.ts";

const KEY = partitionKey("6ba7b810-9dad-41d1-80b4-00c04fd430c8", 0);

async function open(name: string) {
  const identity = newIdentity("d", "strict");
  return openIndexedDbLogStore(await DirectoryDatabase.open(name, identity, () => {}), "strict");
}

async function devtools(method: string, params: object): Promise<unknown> {
  const session = cdp() as unknown as { send(method: string, params: object): Promise<unknown> };
  return session.send(method, { origin: location.origin, ...params });
}

test("[R20] a full quota fails the write whole and names its remedy, and the log is as it was", async () => {
  // Chromium remembers for half a minute how much room it found, unless all databases are closed.
  await devtools("Storage.clearDataForOrigin", { storageTypes: "indexeddb" });
  await devtools("Storage.overrideQuotaForOrigin", { quotaSize: 400_000 });
  const name = `test/${crypto.randomUUID()}`;
  await expect.poll(() => open(name).then((store) => store.close(), String)).toBeUndefined();

  const store = await open(name);
  const metadata = {
    topicId: KEY.slice(0, 36),
    partitionIndex: 0,
    logStartOffset: 0,
    highWatermark: 0,
    epochs: [],
    producerSnapshot: { offset: 0, producers: [] },
  };
  await store.write([{ type: "put-metadata", key: KEY, metadata }]);
  await store.write([{ type: "append", key: KEY, chunk: chunk([0, 5]) }]);
  const large = { sizeInBytes: 60_000, bytes: crypto.getRandomValues(new Uint8Array(60_000)), maxTimestamp: 0 };
  const appends = Array.from({ length: 20 }, (_, index) => {
    const offset = 5 + index;
    return { type: "append", key: KEY, chunk: { ...large, baseOffset: offset, lastOffset: offset } } as const;
  });
  const failed = store.write(appends);
  await expect(failed).rejects.toThrow(StorageFullError);
  await expect(failed).rejects.toThrow("shorten the retention of topics");
  store.close();

  await devtools("Storage.overrideQuotaForOrigin", {});
  const reopened = await open(name);
  expect((await loaded(reopened))[0]!.chunks.map(({ lastOffset }) => lastOffset)).toEqual([4]);
  reopened.close();
  await deleteDB(name);
});
