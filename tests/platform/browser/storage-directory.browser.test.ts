import { deleteDB, openDB } from "idb";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Durability } from "../../../src/broker/storage-identity.ts";
import { profileRack } from "../../../src/platform/browser/profile.ts";
import type { StorageDirectory } from "../../../src/platform/browser/storage-directory.ts";
import { openStorageDirectory } from "../../../src/platform/browser/storage-directory.ts";

describe("storage directories", () => {
  let cluster: string;
  let lost: string[];
  let unusable: Error[];
  const held: StorageDirectory[] = [];
  const workers: Worker[] = [];

  beforeEach(() => {
    cluster = `test-${crypto.randomUUID()}`;
    lost = [];
    unusable = [];
  });

  afterEach(async () => {
    for (const directory of held.splice(0)) directory.release();
    for (const worker of workers.splice(0)) worker.terminate();
    for (const { name } of await indexedDB.databases()) {
      if (name!.startsWith(`tabstream/${cluster}/`)) await deleteDB(name!);
    }
  });

  async function open(
    hint?: string,
    durability: Durability = "strict",
    refused: readonly string[] = [],
    latest?: string,
  ): Promise<StorageDirectory> {
    const directory = await openStorageDirectory({
      cluster,
      durability,
      hint,
      latest,
      refused,
      lost: (reason) => lost.push(reason),
      unusable: (cause) => unusable.push(cause),
    });
    held.push(directory);
    return directory;
  }

  /** Opens a directory in another thread, which holds it until the worker ends. */
  function openElsewhere(hint?: string) {
    const worker = new Worker(new URL("./lock-holder.worker.ts", import.meta.url), { type: "module" });
    workers.push(worker);
    worker.postMessage({ cluster, hint });
    const opened = new Promise<{ directoryId: string; elapsedMs: number }>((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
    });
    return { worker, opened };
  }

  const nameOf = (directory: StorageDirectory) => `tabstream/${cluster}/${directory.identity.directoryId}`;

  test("the first tab makes a directory, and takes it over again later", async () => {
    const first = await open();
    await first.saveIdentity({ ...first.identity, brokerId: 3, generation: 1, nonce: "n" });
    first.release();
    const second = await open();
    expect(second.identity).toMatchObject({ directoryId: first.identity.directoryId, brokerId: 3, generation: 1 });
  });

  test("[R20] what is being saved when a tab lets go of its directory is saved, and nothing after that", async () => {
    const first = await open();
    const saved = first.saveIdentity({ ...first.identity, damage: "the batch at offset 0 fails its checksum" });
    first.release();
    await saved;
    await expect(first.saveIdentity(first.identity)).rejects.toThrow("closed by its owner");
    expect((await open()).identity.damage).toBe("the batch at offset 0 fails its checksum");
    expect(lost).toEqual([]);
  });

  test("two tabs get two directories, and a third finds the one that was freed", async () => {
    const [first, second] = [openElsewhere(), openElsewhere()];
    const ids = [(await first.opened).directoryId, (await second.opened).directoryId];
    expect(new Set(ids).size).toBe(2);
    first.worker.terminate();
    const locks = async () => (await navigator.locks.query()).held!.filter(({ name }) => name!.includes(cluster));
    await expect.poll(locks).toHaveLength(1);
    expect((await open()).identity.directoryId).toBe(ids[0]);
  });

  test("a directory that the cluster refused is passed over, and kept", async () => {
    const first = await open();
    const { directoryId } = first.identity;
    first.release();
    const second = await open(directoryId, "strict", [directoryId]);
    expect(second.identity.directoryId).not.toBe(directoryId);
    second.release();
    expect((await open(directoryId)).identity.directoryId).toBe(directoryId);
  });

  test("a remembered directory is preferred to others that are free", async () => {
    const directories = [await open(), await open(), await open()];
    for (const directory of directories) directory.release();
    for (const { identity } of directories) {
      const again = await open(identity.directoryId);
      expect(again.identity.directoryId).toBe(identity.directoryId);
      again.release();
    }
  });

  test("the directory that was used last is preferred where this tab remembers none, and not waited for", async () => {
    const directories = [await open(), await open(), await open()];
    const ids = directories.map(({ identity }) => identity.directoryId);
    for (const directory of directories) directory.release();
    for (const latest of ids) {
      const again = await open(undefined, "strict", [], latest);
      expect(again.identity.directoryId).toBe(latest);
      for (const hint of ids) {
        if (hint === latest) continue;
        const startedMs = performance.now();
        const other = await open(hint, "strict", [], latest);
        expect(other.identity.directoryId).toBe(hint);
        other.release();
        const free = await open(undefined, "strict", [], latest);
        expect(free.identity.directoryId).not.toBe(latest);
        expect(performance.now() - startedMs).toBeLessThan(1900);
        free.release();
      }
      again.release();
    }
  });

  test("[B4] a duplicated tab, whose hint is held for good, waits two seconds and becomes another broker", async () => {
    const original = openElsewhere();
    const { directoryId } = await original.opened;
    const duplicate = await openElsewhere(directoryId).opened;
    expect(duplicate.directoryId).not.toBe(directoryId);
    expect(duplicate.elapsedMs).toBeGreaterThan(1900);
    expect(duplicate.elapsedMs).toBeLessThan(4000);
  });

  test("a reloaded tab waits for its former document to let go", async () => {
    const former = openElsewhere();
    const { directoryId } = await former.opened;
    const reloaded = openElsewhere(directoryId);
    setTimeout(() => former.worker.terminate(), 500);
    const { directoryId: again, elapsedMs } = await reloaded.opened;
    expect(again).toBe(directoryId);
    expect(elapsedMs).toBeLessThan(1900);
  });

  test("a tab that comes while another one closes takes its place", async () => {
    const staying = await open();
    const closing = openElsewhere();
    const { directoryId } = await closing.opened;
    setTimeout(() => closing.worker.terminate(), 400);
    const { directoryId: again, elapsedMs } = await openElsewhere().opened;
    expect(again).toBe(directoryId);
    expect(again).not.toBe(staying.identity.directoryId);
    expect(elapsedMs).toBeLessThan(1400);
  });

  test("[B2] a remembered directory that is gone is not made again under its name", async () => {
    const gone = crypto.randomUUID();
    const standIn = await open(gone);
    const { identity } = standIn;
    expect(identity.directoryId).not.toBe(gone);
    expect(standIn.isStandIn).toBe(true);
    expect(identity).toMatchObject({ brokerId: -1, generation: 0 });
    expect(unusable.map(({ message }) => message)).toEqual([expect.stringContaining(`${gone}, used here before, is gone`)]);

    standIn.release();
    const again = await open(gone);
    expect(again.identity.directoryId).toBe(identity.directoryId);
    expect(again.isStandIn).toBe(false);
  });

  test.each(["hint", "latest"])("a remembered directory (%s) that is not listed at first is found", async (memory) => {
    const first = await open();
    const { directoryId } = first.identity;
    first.release();
    vi.spyOn(indexedDB, "databases").mockResolvedValueOnce([]);
    const again = memory === "hint" ? await open(directoryId) : await open(undefined, "strict", [], directoryId);
    expect(again.identity.directoryId).toBe(directoryId);
    expect(unusable).toEqual([]);
  });

  test("[B3] storage that lost its identity is removed, and never passes for what it was", async () => {
    const first = await open();
    const name = nameOf(first);
    first.release();
    const database = await openDB(name);
    await database.delete("identity", "identity");
    database.close();
    const second = await open(first.identity.directoryId);
    expect(second.identity.directoryId).not.toBe(first.identity.directoryId);
    await expect.poll(async () => (await indexedDB.databases()).some((each) => each.name === name)).toBe(false);
    expect(String(unusable.at(-1))).toContain("it has lost its identity, and is removed");
  });

  test("a directory that cannot be opened is reported and passed over", async () => {
    const newer = await openDB(`tabstream/${cluster}/${crypto.randomUUID()}`, 99);
    newer.close();
    const directory = await open();
    expect(directory.identity.brokerId).toBe(-1);
    expect(unusable).toHaveLength(1);
  });

  test("[R20] when the lock is stolen or the database deleted, the holder hears it once", async () => {
    const first = await open();
    void navigator.locks.request(nameOf(first), { steal: true }, () => {});
    await expect.poll(() => lost).toEqual([expect.stringContaining("stolen")]);
    await deleteDB(nameOf(first));
    expect(lost).toHaveLength(1);
    const second = await open();
    await deleteDB(nameOf(second));
    expect(lost).toEqual([expect.stringContaining("stolen"), expect.stringContaining("deleted or upgraded")]);
    await expect(second.saveIdentity(second.identity)).rejects.toThrow("deleted or upgraded");
  });

  test("[R20] a directory that is lost while it is opened is passed over, and no loss of the next", async () => {
    const first = await open();
    first.release();
    const opening = vi.spyOn(indexedDB, "open").mockImplementationOnce((name, version) => {
      opening.mockRestore();
      const request = indexedDB.open(name, version);
      indexedDB.deleteDatabase(name);
      return request;
    });
    const second = await open();
    expect(nameOf(second)).not.toBe(nameOf(first));
    expect(unusable.map(({ message }) => message)).toEqual([expect.stringContaining("deleted or upgraded")]);
    await second.saveIdentity(second.identity);
    expect(lost).toEqual([]);
  });

  test("a released directory is free at once, and says nothing is lost", async () => {
    const first = await open();
    first.release();
    await deleteDB(nameOf(first));
    expect(lost).toEqual([]);
  });

  test("[B1] relaxed is on record before the first write, strict once a registration is complete", async () => {
    const strict = await open();
    strict.release();
    const relaxed = await open(undefined, "relaxed");
    expect(relaxed.identity.durability).toBe("relaxed");
    relaxed.release();

    const stricter = await open();
    expect(stricter.identity.durability).toBe("relaxed");
    await stricter.saveIdentity({ ...stricter.identity, pendingNonce: "p" });
    expect((await stricter.database.identity())!.durability).toBe("relaxed");
    await stricter.saveIdentity({ ...stricter.identity, nonce: "p", generation: 1 });
    expect((await stricter.database.identity())!.durability).toBe("strict");
  });

  test("a profile that cannot be read is told once, in words that help", async () => {
    await deleteDB("tabstream/profile");
    const unheard = vi.fn();
    addEventListener("unhandledrejection", unheard);
    const add = vi.spyOn(IDBObjectStore.prototype, "add");
    add.mockImplementationOnce(function (this: IDBObjectStore, value, key) {
      add.mockRestore();
      const request = this.add(value, key);
      this.transaction.abort();
      return request;
    });
    await expect(profileRack()).rejects.toThrow("while reading what the tabs of this profile share; reload the page");
    await new Promise((resolve) => setTimeout(resolve, 20));
    removeEventListener("unhandledrejection", unheard);
    expect(unheard).not.toHaveBeenCalled();
  });

  test("all tabs of a profile are in one rack", async () => {
    const racks = await Promise.all([profileRack(), profileRack(), profileRack()]);
    expect(new Set(racks).size).toBe(1);
    expect(racks[0]).toMatch(/^[0-9a-f-]{36}$/);
  });
});
