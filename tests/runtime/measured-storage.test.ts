import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { newIdentity } from "../../src/broker/storage-identity.ts";
import { browserClock } from "../../src/platform/browser/browser-clock.ts";
import { describeLogDirs } from "../../src/protocol/apis/35-describe-log-dirs.ts";
import { decodeResponse, encodeRequest } from "../../src/protocol/envelope.ts";
import type { BrokerPlatform } from "../../src/runtime/broker-platform.ts";
import type { Connection } from "../../src/runtime/connection.ts";
import { runBroker } from "../../src/runtime/run-broker.ts";
import { MemoryConnection } from "../client/memory-connection.ts";

/** A broker without a server, and how it is asked for its log directories. */
function startBroker(measureStorage?: BrokerPlatform["measureStorage"]) {
  let accept: ((connection: Connection, listener: string) => void) | undefined;
  const logged: string[] = [];
  const broker = runBroker({
    clock: browserClock,
    store: { load: async function* () {}, write: async () => {}, read: async () => [], close: () => {} },
    identity: newIdentity("d0000000-0000-4000-8000-000000000001", "strict"),
    saveIdentity: async () => {},
    controller: { receive: () => {}, send: () => {}, close: () => {} },
    dial: () => Promise.reject(new Error("there is nobody")),
    listen: (listener) => (accept = listener),
    listeners: [],
    rack: "profile",
    onLifecycle: () => {},
    randomUuid: () => crypto.randomUUID(),
    log: (_level, message) => logged.push(message),
    ...(measureStorage === undefined ? {} : { measureStorage }),
  });
  const room = async () => {
    await vi.advanceTimersByTimeAsync(0);
    const [near, far] = MemoryConnection.pair();
    accept!(far, "KAFKA");
    let answer: Uint8Array | undefined;
    near.receive({ frame: (frame) => (answer = frame), closed: () => {} });
    near.send(encodeRequest(describeLogDirs, 4, { correlationId: 1, clientId: "test" }, { topics: null }));
    await vi.advanceTimersByTimeAsync(1);
    const { totalBytes, usableBytes } = decodeResponse(describeLogDirs, 4, answer!).body.results[0]!;
    return [totalBytes, usableBytes];
  };
  return { broker, room, logged };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("the room for logs is measured at the start, and again from time to time", async () => {
  const measured = [{ totalBytes: 1_000, usableBytes: 900 }, { totalBytes: 1_000, usableBytes: 300 }];
  const { broker, room } = startBroker(async () => measured.shift()!);
  expect(await room()).toEqual([1_000, 900]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await room()).toEqual([1_000, 300]);
  const stopped = broker.stop();
  await vi.advanceTimersByTimeAsync(10_000);
  await stopped;
  expect(vi.getTimerCount()).toBe(0);
});

test("where nobody can tell the room, it is not told, and the broker runs all the same", async () => {
  expect(await startBroker().room()).toEqual([-1, -1]);
  const { room, logged } = startBroker(() => Promise.reject(new Error("no such place")));
  expect(await room()).toEqual([-1, -1]);
  expect(logged).toContainEqual(expect.stringContaining("no such place"));
});
