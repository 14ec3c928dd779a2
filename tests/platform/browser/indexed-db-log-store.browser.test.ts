import { deleteDB } from "idb";
import { expect, test } from "vitest";
import { cdp } from "vitest/browser";
import { newIdentity } from "../../../src/broker/storage-identity.ts";
import type { LogMetadata } from "../../../src/log/stored-log.ts";
import { partitionKey } from "../../../src/log/stored-log.ts";
import { DirectoryDatabase } from "../../../src/platform/browser/directory-database.ts";
import { StoreUnavailableError } from "../../../src/platform/browser/errors.ts";
import { openIndexedDbLogStore } from "../../../src/platform/browser/indexed-db-log-store.ts";
import { chunk, describeLogStore, loaded } from "../../contracts/log-store.contract.ts";

const IDENTITY = newIdentity("d", "strict");

const KEY = partitionKey("6ba7b810-9dad-41d1-80b4-00c04fd430c8", 0);

const METADATA: LogMetadata = {
  topicId: KEY.slice(0, 36),
  partitionIndex: 0,
  logStartOffset: 0,
  highWatermark: 0,
  epochs: [],
  producerSnapshot: { offset: 0, producers: [] },
};

const devtools = (method: string, params: object) => {
  const session = cdp() as unknown as { send(method: string, params: object): Promise<unknown> };
  return session.send(method, { origin: location.origin, ...params });
};

const openDatabase = (name: string, lost: (reason: string) => void = () => {}) =>
  DirectoryDatabase.open(name, IDENTITY, lost);

for (const durability of ["strict", "relaxed"] as const) {
  describeLogStore(`IndexedDB, ${durability}`, async () => {
    const name = `test/${crypto.randomUUID()}`;
    return {
      open: async () => openIndexedDbLogStore(await openDatabase(name), durability),
      remove: () => deleteDB(name),
    };
  });
}

test("[B4] a writer that was overtaken by another cannot write, though its database is open", async () => {
  const name = `test/${crypto.randomUUID()}`;
  const former = await openDatabase(name);
  const formerStore = await openIndexedDbLogStore(former, "strict");
  await formerStore.write([{ type: "put-metadata", key: KEY, metadata: METADATA }]);

  const current = await openDatabase(name);
  const currentStore = await openIndexedDbLogStore(current, "strict");
  await expect(formerStore.write([{ type: "append", key: KEY, chunk: chunk([0, 5]) }])).rejects.toThrow(
    "another tab has taken over",
  );
  await expect(former.saveIdentity({ ...IDENTITY, generation: 7 })).rejects.toThrow(StoreUnavailableError);
  await currentStore.write([{ type: "append", key: KEY, chunk: chunk([0, 3]) }]);
  expect((await loaded(currentStore))[0]!.chunks).toHaveLength(1);
  expect((await current.identity())!.generation).toBe(0);
  formerStore.close();
  currentStore.close();
  await deleteDB(name);
});

test("[R20] a chunk that makes no sense, or is gone, comes without its bytes, and the others with theirs", async () => {
  const name = `test/${crypto.randomUUID()}`;
  const database = await openDatabase(name);
  const store = await openIndexedDbLogStore(database, "strict");
  const written = [chunk([0, 5]), chunk([5, 5]), chunk([10, 5])];
  await store.write([
    { type: "put-metadata", key: KEY, metadata: METADATA },
    ...written.map((one) => ({ type: "append", key: KEY, chunk: one }) as const),
  ]);
  await database.write(["chunks"], "strict", "damaging it", (transaction) => {
    transaction.objectStore("chunks").put(undefined, [0, 4]);
    transaction.objectStore("chunks").delete([0, 9]);
  });
  const none = { bytes: new Uint8Array() };
  const expected = [{ ...written[0], ...none }, { ...written[1], ...none }, written[2]];
  expect(await store.read(KEY, 0, 1024)).toEqual(expected);
  expect((await loaded(store))[0]!.tail).toEqual(expected);

  // What a truncation keeps of a chunk may be committed, so it does not do without.
  await expect(store.write([{ type: "truncate", key: KEY, offset: 7 }])).rejects.toThrow("offset 5 cannot be read");
  store.close();
  const reopened = await openIndexedDbLogStore(await openDatabase(name), "strict");
  expect(await reopened.read(KEY, 0, 1024)).toEqual(expected);
  reopened.close();
  await deleteDB(name);
});

test("[R20] a request to delete the database closes the store and says so", async () => {
  const name = `test/${crypto.randomUUID()}`;
  const reasons: string[] = [];
  const database = await openDatabase(name, (reason) => reasons.push(reason));
  const store = await openIndexedDbLogStore(database, "strict");
  await deleteDB(name);
  expect(reasons).toEqual([expect.stringContaining("deleted or upgraded")]);
  await expect(store.write([])).rejects.toThrow("deleted or upgraded");
});

test("the identity outlives its database connection", async () => {
  const name = `test/${crypto.randomUUID()}`;
  const first = await openDatabase(name);
  await first.saveIdentity({ ...IDENTITY, brokerId: 4, generation: 2, nonce: "n" });
  first.close();
  const second = await openDatabase(name);
  expect(await second.identity()).toEqual({ ...IDENTITY, brokerId: 4, generation: 2, nonce: "n" });
  second.close();
  await deleteDB(name);
});

test("[R20] when site data is cleared, the store says so, and refuses what follows", async () => {
  const name = `test/${crypto.randomUUID()}`;
  const reasons: string[] = [];
  const database = await openDatabase(name, (reason) => reasons.push(reason));
  const store = await openIndexedDbLogStore(database, "strict");
  await devtools("Storage.clearDataForOrigin", { storageTypes: "indexeddb" });
  await expect.poll(() => reasons).toEqual([expect.stringContaining("site data is cleared")]);
  await expect(store.write([])).rejects.toThrow("site data is cleared");
  await expect(loaded(store)).rejects.toThrow(StoreUnavailableError);
});
