import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { newIdentity } from "../../src/broker/storage-identity.ts";
import { PartitionLog } from "../../src/log/partition-log.ts";
import type { StoredLog } from "../../src/log/stored-log.ts";
import { browserClock } from "../../src/platform/browser/browser-clock.ts";
import { StoredLogs } from "../../src/platform/simulated/stored-logs.ts";
import { runBroker } from "../../src/runtime/run-broker.ts";
import { TOPIC_ID, batch } from "../log/batch-builder.ts";

const MIB = 1024 * 1024;
const LOGS = 12;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** A log with 6 MiB behind the snapshot of its producers, all of which a start reads. */
function storedLog(partitionIndex: number): StoredLog {
  const log = PartitionLog.create(TOPIC_ID, partitionIndex);
  const appends = Array.from({ length: 6 }, () => log.appendAsLeader(batch({ valueBytes: MIB }), 0, 0).operations);
  return StoredLogs.empty.apply(appends.flat()).load()[0]!;
}

test("a start holds no more than the tail of one log beside what the broker may cache", async () => {
  const read: WeakRef<Uint8Array>[] = [];
  const held: number[] = [];
  async function* load(): AsyncGenerator<StoredLog> {
    for (let index = 0; index < LOGS; index++) {
      const stored = storedLog(index);
      for (const { bytes } of stored.tail) read.push(new WeakRef(bytes));
      yield stored;
      // What a WeakRef was made of lives until the end of the turn.
      await new Promise((resolve) => setImmediate(resolve));
      collectGarbage();
      held.push(read.filter((each) => each.deref() !== undefined).length);
    }
  }
  const broker = runBroker({
    clock: browserClock,
    store: { load, write: async () => {}, read: async () => [], close: () => {} },
    identity: newIdentity("d0000000-0000-4000-8000-000000000001", "strict"),
    saveIdentity: async () => {},
    controller: { receive: () => {}, send: () => {}, close: () => {} },
    dial: () => Promise.reject(new Error("there is nobody")),
    listen: () => {},
    listeners: [],
    rack: "profile",
    onLifecycle: () => {},
    randomUuid: () => crypto.randomUUID(),
    log: () => {},
  });
  await expect.poll(() => held.length, { timeout: 20_000 }).toBe(LOGS);
  expect(read).toHaveLength(6 * LOGS);
  expect(Math.max(...held)).toBeLessThanOrEqual(32 + 6);
  await broker.stop();
});
