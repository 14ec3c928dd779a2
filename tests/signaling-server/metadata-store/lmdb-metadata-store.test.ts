import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "lmdb";
import { describe, expect, onTestFinished, test } from "vitest";
import { LmdbMetadataStore } from "../../../signaling-server/metadata-store/lmdb-metadata-store.ts";
import type { LmdbMetadataStoreOptions } from "../../../signaling-server/metadata-store/lmdb-metadata-store.ts";
import { DamagedMetadataError } from "../../../signaling-server/metadata-store/metadata-store.ts";
import type { StoredBatch } from "../../../signaling-server/metadata-store/metadata-store.ts";
import { encodeMetadataBatch } from "../../../src/metadata/metadata-batch.ts";
import { encodeMetadataRecord } from "../../../src/protocol/metadata-records/registry.ts";
import type { MetadataRecordInit } from "../../../src/protocol/metadata-records/registry.ts";
import { temporaryFolder } from "../test-server.ts";

function storeAt(dataDir: string, options: Partial<LmdbMetadataStoreOptions> = {}): LmdbMetadataStore {
  const store = new LmdbMetadataStore({ dataDir, maxClusters: 10, ...options });
  onTestFinished(() => store.close());
  return store;
}

/** Consecutive batches of `size` records each, told apart by their bytes. */
function batches(from: number, count: number, { size = 2, epoch = 1 } = {}): StoredBatch[] {
  return Array.from({ length: count }, (_, index) => {
    const baseOffset = from + index * size;
    const records = Array.from({ length: size }, () => new Uint8Array(40).fill(baseOffset));
    return { baseOffset, batch: encodeMetadataBatch(baseOffset, epoch, records) };
  });
}

/** Changes what is on the disk behind the store's back. */
async function tamper(dataDir: string, change: (logs: ReturnType<typeof logsOf>) => void): Promise<void> {
  const path = join(dataDir, "metadata.mdb");
  const root = open<Buffer, string>({ path, noSubdir: true, maxDbs: 3, overlappingSync: false });
  const logs = logsOf(root);
  await root.transaction(() => change(logs));
  await root.close();
}

function logsOf(root: ReturnType<typeof open<Buffer, string>>) {
  return root.openDB<Buffer, [string, number]>({ name: "logs", encoding: "binary" });
}

test("a new cluster gets an id and an empty log, and each opening a higher controller epoch", async () => {
  const dataDir = await temporaryFolder();
  const store = storeAt(dataDir);
  const first = await store.open("demo");
  expect(first).toMatchObject({ controllerEpoch: 1, snapshot: undefined, log: [] });
  const second = await store.open("demo");
  expect(second).toMatchObject({ clusterId: first.clusterId, controllerEpoch: 2 });
  await store.close();
  expect(await storeAt(dataDir).open("demo")).toMatchObject({ clusterId: first.clusterId, controllerEpoch: 3 });
  expect((await storeAt(dataDir).open("other")).clusterId).not.toBe(first.clusterId);
});

test("what was appended is there after the store was opened anew, cluster by cluster", async () => {
  const dataDir = await temporaryFolder();
  const store = storeAt(dataDir);
  await Promise.all([store.open("a"), store.open("b"), store.open("__proto__")]);
  await Promise.all([
    ...Array.from({ length: 50 }, (_, index) => store.append("a", batches(index * 4, 2))),
    store.append("b", batches(0, 3)),
    store.append("__proto__", batches(0, 1)),
  ]);
  await store.close();
  const again = storeAt(dataDir);
  expect((await again.open("a")).log).toEqual(batches(0, 100));
  expect((await again.open("b")).log).toEqual(batches(0, 3));
  expect((await again.open("__proto__")).log).toEqual(batches(0, 1));
  expect((await again.open("A")).log).toEqual([]);
});

test("an append that leaves a gap or repeats an offset changes nothing", async () => {
  const store = storeAt(await temporaryFolder());
  await store.open("demo");
  await store.append("demo", batches(0, 2));
  await expect(store.append("demo", batches(2, 1))).rejects.toThrow("offset 2 does not follow the log's end at 4");
  await expect(store.append("demo", [...batches(4, 1), ...batches(8, 1)])).rejects.toThrow("offset 8 does not follow");
  expect((await store.open("demo")).log).toEqual(batches(0, 2));
  await store.append("demo", batches(4, 1));
});

test("a snapshot replaces the log before its end", async () => {
  const dataDir = await temporaryFolder();
  const store = storeAt(dataDir);
  await Promise.all([store.open("demo"), store.open("neighbour")]);
  await store.append("demo", batches(0, 10));
  await store.append("neighbour", batches(0, 2));
  const snapshot = { endOffset: 12, epoch: 1, records: new Uint8Array(9_000).fill(7) };
  await store.saveSnapshot("demo", snapshot);
  await store.append("demo", batches(20, 1));
  await store.close();
  const again = storeAt(dataDir);
  const stored = await again.open("demo");
  expect(stored.snapshot).toEqual(snapshot);
  expect(stored.log).toEqual([...batches(12, 4), ...batches(20, 1)]);
  expect((await again.open("neighbour")).log).toHaveLength(2);
});

test("a second store on the same folder takes over, and the first can write no more", async () => {
  const dataDir = await temporaryFolder();
  const first = storeAt(dataDir);
  await first.open("demo");
  const second = storeAt(dataDir);
  const takenOver = "another server has taken over";
  await expect(first.append("demo", batches(0, 1))).rejects.toThrow(takenOver);
  await expect(first.open("demo")).rejects.toThrow(takenOver);
  expect((await second.open("demo")).log).toEqual([]);
  await second.append("demo", batches(0, 1));
});

test("[B16] after a restore from a backup, controller epochs start where the operator says", async () => {
  const dataDir = await temporaryFolder();
  const store = storeAt(dataDir);
  expect((await store.open("demo")).controllerEpoch).toBe(1);
  await store.close();
  const restored = storeAt(dataDir, { minControllerEpoch: 500 });
  expect((await restored.open("demo")).controllerEpoch).toBe(500);
  expect((await restored.open("demo")).controllerEpoch).toBe(501);
});

test("a store takes so many clusters", async () => {
  const store = storeAt(await temporaryFolder(), { maxClusters: 2 });
  await store.open("a");
  await store.open("b");
  await expect(store.open("c")).rejects.toThrow("the server keeps 2 clusters, and takes no more");
  await store.open("a");
});

describe("when a store has its clusters", () => {
  const NEVER_USED = [
    { type: "ClusterRecord", clusterId: "7b8a4f0e-6f6b-4a57-9f5e-0d8f6a3c1b2d" },
    { type: "NoOpRecord" },
    { type: "NoOpRecord" },
  ] as const;

  const TOPIC = { type: "TopicRecord", name: "t", topicId: "7b8a4f0e-6f6b-4a57-9f5e-0d8f6a3c1b2d" } as const;

  function decided(...records: MetadataRecordInit[]): StoredBatch[] {
    return records.map((record, baseOffset) => {
      return { baseOffset, batch: encodeMetadataBatch(baseOffset, 1, [encodeMetadataRecord(record)]) };
    });
  }

  /** Two clusters, in which that was decided. `open` names those that are open. */
  async function twoClusters(first: StoredBatch[], second: StoredBatch[], open: readonly string[] = []) {
    const dataDir = await temporaryFolder();
    const options = { maxClusters: 2, isOpen: (cluster: string) => open.includes(cluster) };
    const store = storeAt(dataDir, options);
    const { clusterId } = await store.open("a");
    await store.append("a", first);
    await store.open("b");
    await store.append("b", second);
    return { store, clusterId, dataDir, options };
  }

  test("one in which nothing was ever decided is given up for another", async () => {
    const used = decided(...NEVER_USED, TOPIC);
    const { store } = await twoClusters(decided(...NEVER_USED), used);
    expect((await store.open("c")).log).toEqual([]);
    await store.append("c", used);
    await expect(store.open("a")).rejects.toThrow("the server keeps 2 clusters, and takes no more");
    expect((await store.open("b")).log).toEqual(used);
    expect((await store.open("c")).log).toEqual(used);
  });

  test("what comes under the name of one that was given up is another cluster", async () => {
    const { store, clusterId } = await twoClusters(decided(...NEVER_USED), batches(0, 1));
    await store.open("c");
    const again = await store.open("a");
    expect(again).toMatchObject({ controllerEpoch: 1, log: [] });
    expect(again.clusterId).not.toBe(clusterId);
  });

  test("one whose decisions were lost stays", async () => {
    const { store, dataDir, options } = await twoClusters(decided(...NEVER_USED, TOPIC), batches(0, 1));
    await store.close();
    await tamper(dataDir, (logs) => logs.remove(["a", 3]));
    await expect(storeAt(dataDir, options).open("c")).rejects.toThrow("the server keeps 2 clusters");
  });

  test("those that are open, have a snapshot, or cannot be read stay", async () => {
    const { store } = await twoClusters(decided(...NEVER_USED), batches(0, 1), ["a"]);
    await expect(store.open("c")).rejects.toThrow("the server keeps 2 clusters");
    const snapshots = await twoClusters(decided(...NEVER_USED), batches(0, 1));
    await snapshots.store.saveSnapshot("a", { endOffset: 3, epoch: 1, records: new Uint8Array() });
    await expect(snapshots.store.open("c")).rejects.toThrow("the server keeps 2 clusters");
  });
});

const failsChecksum = "the batch at offset 4 fails its checksum";

test.each<[string, (logs: ReturnType<typeof logsOf>) => void, string]>([
  ["a changed byte", (logs) => {
    const row = Buffer.from(logs.get(["demo", 4])!);
    row[80]! ^= 1;
    logs.put(["demo", 4], row);
  }, failsChecksum],
  ["a missing batch", (logs) => logs.remove(["demo", 4]), "offset 6 follows, where offset 4 is due"],
  ["a missing first batch", (logs) => logs.remove(["demo", 0]), "offset 2 follows, where offset 0 is due"],
  ["a missing end", (logs) => logs.remove(["demo", 8]), "the log ends at offset 8, not at 10"],
  ["a batch in the wrong place", (logs) => logs.put(["demo", 4], logs.get(["demo", 2])!), failsChecksum],
  ["a batch cut short", (logs) => logs.put(["demo", 4], logs.get(["demo", 4])!.subarray(0, 90)), failsChecksum],
  ["an empty row", (logs) => logs.put(["demo", 4], Buffer.alloc(0)), "is damaged"],
])("%s is refused, and names the file and the way out", async (_, change, complaint) => {
  const dataDir = await temporaryFolder();
  const store = storeAt(dataDir);
  await store.open("demo");
  await store.open("sound");
  await store.append("demo", batches(0, 5));
  await store.close();
  await tamper(dataDir, change);
  const again = storeAt(dataDir);
  const failure = await again.open("demo").catch((error: unknown) => String(error));
  expect(failure).toContain(complaint);
  expect(failure).toContain(`the metadata of cluster demo in ${join(dataDir, "metadata.mdb")} is damaged`);
  expect(failure).toContain("restore the file from a backup");
  // Nothing was changed, and the neighbour is well.
  expect((await again.open("sound")).controllerEpoch).toBe(2);
});

test.each([
  ["text", "not a database", "cut short to 14 bytes"],
  ["zeros", Buffer.alloc(100_000), "no LMDB file"],
  ["noise", Buffer.alloc(100_000, 0xa7), "no LMDB file"],
])("a file of %s is refused, not replaced", async (_, content, complaint) => {
  const dataDir = await temporaryFolder();
  writeFileSync(join(dataDir, "metadata.mdb"), content);
  expect(() => new LmdbMetadataStore({ dataDir, maxClusters: 10 })).toThrow(complaint);
  expect(() => new LmdbMetadataStore({ dataDir, maxClusters: 10 })).toThrow(join(dataDir, "metadata.mdb"));
});

test("a file that LMDB itself left short is opened, and has everything", async () => {
  const dataDir = await temporaryFolder();
  const store = storeAt(dataDir);
  await store.open("demo");
  await Promise.all(batches(0, 5_000).map((batch) => store.append("demo", [batch])));
  const snapshot = { endOffset: 10_000, epoch: 1, records: new Uint8Array(5_000).fill(7) };
  await store.saveSnapshot("demo", snapshot);
  await store.close();
  const { size } = statSync(join(dataDir, "metadata.mdb"));
  const again = storeAt(dataDir);
  // The case at hand: pages of the log that the snapshot replaced were given back before they were ever written.
  expect(statSync(join(dataDir, "metadata.mdb")).size).toBeGreaterThan(size);
  expect(await again.open("demo")).toMatchObject({ snapshot, log: [] });
  await again.append("demo", batches(10_000, 100));
  await again.close();
  expect((await storeAt(dataDir).open("demo")).log).toEqual(batches(10_000, 100));
});

const PAGE_BYTES = 4_096;

test.each<[string, (file: Buffer, at: number) => Buffer]>([
  ["its end", (file, at) => file.subarray(0, at)],
  ["its end within a page", (file, at) => file.subarray(0, at + PAGE_BYTES / 2)],
  ["a page", (file, at) => Buffer.from(file).fill(0, at, at + PAGE_BYTES)],
])("a file that lost %s is refused, wherever that is, or has everything all the same", async (_, lose) => {
  const dataDir = await temporaryFolder();
  const store = storeAt(dataDir);
  await store.open("demo");
  for (const batch of batches(0, 100)) await store.append("demo", [batch]);
  await store.saveSnapshot("demo", { endOffset: 200, epoch: 1, records: new Uint8Array(5_000) });
  for (const batch of batches(200, 200)) await store.append("demo", [batch]);
  await store.close();
  const file = readFileSync(join(dataDir, "metadata.mdb"));
  let refusals = 0;
  for (let at = 2 * PAGE_BYTES; at < file.length; at += PAGE_BYTES) {
    const damaged = await temporaryFolder();
    const path = join(damaged, "metadata.mdb");
    writeFileSync(path, lose(file, at));
    // The second start finds the file as the first one left it.
    for (const _ of ["first", "second"]) {
      try {
        expect((await storeAt(damaged).open("demo")).log).toEqual(batches(200, 200));
      } catch (error) {
        expect(error).toBeInstanceOf(DamagedMetadataError);
        expect(String(error)).toContain(path);
        expect(String(error)).toContain("restore the file from a backup");
        refusals++;
      }
    }
  }
  expect(refusals).toBeGreaterThan(10);
});

test("a file that lost the names of its tables is refused, and founds no cluster anew", async () => {
  const dataDir = await temporaryFolder();
  const store = storeAt(dataDir);
  await store.open("demo");
  await store.close();
  const file = readFileSync(join(dataDir, "metadata.mdb"));
  let refusals = 0;
  for (let at = 2 * PAGE_BYTES; at < file.length; at += PAGE_BYTES) {
    if (!file.subarray(at, at + PAGE_BYTES).includes("snapshots")) continue;
    const damaged = await temporaryFolder();
    // Names are at the end of their page.
    writeFileSync(join(damaged, "metadata.mdb"), Buffer.from(file).fill(0, at + PAGE_BYTES / 2, at + PAGE_BYTES));
    for (const _ of ["first", "second"]) {
      try {
        // An older version of the page is not missed.
        expect((await storeAt(damaged).open("demo")).controllerEpoch).toBeGreaterThan(1);
      } catch (error) {
        expect(error).toBeInstanceOf(DamagedMetadataError);
        expect(String(error)).toContain("it has lost its states");
        refusals++;
      }
    }
  }
  expect(refusals).toBe(2);
});

test("a lock file that cannot be opened is named, and does not end the process", async () => {
  const dataDir = await temporaryFolder();
  mkdirSync(join(dataDir, "metadata.mdb-lock"));
  const path = join(dataDir, "metadata.mdb-lock");
  expect(() => new LmdbMetadataStore({ dataDir, maxClusters: 10 })).toThrow(`${path} is no file; move it away`);
});

test.runIf(existsSync("/dev/full"))("a disk without room for the lock file does not end the process", async () => {
  const dataDir = await temporaryFolder();
  symlinkSync("/dev/full", join(dataDir, "metadata.mdb-probe"));
  expect(() => new LmdbMetadataStore({ dataDir, maxClusters: 10 })).toThrow("no space left on device");
  await storeAt(dataDir).open("demo");
});
