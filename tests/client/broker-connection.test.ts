import { describe, expect, test } from "vitest";
import { BrokerConnection } from "../../src/client/broker-connection.ts";
import {
  KafkaJSConnectionClosedError,
  KafkaJSConnectionError,
  KafkaJSRequestTimeoutError,
  KafkaJSServerDoesNotSupportApiKey,
} from "../../src/client/errors.ts";
import { browserClock } from "../../src/platform/browser/browser-clock.ts";
import { listOffsets } from "../../src/protocol/apis/02-list-offsets.ts";
import { apiVersions } from "../../src/protocol/apis/18-api-versions.ts";
import { advertisedApiKeys } from "../../src/protocol/apis/registry.ts";
import { decodeRequest, decodeRequestHeader, encodeResponse } from "../../src/protocol/envelope.ts";
import type { Connection } from "../../src/runtime/connection.ts";
import { MemoryConnection } from "./memory-connection.ts";

const events = { request: () => {}, requestTimeout: () => {}, requestQueueSize: () => {} };
/** A broker that answers ApiVersions by itself and leaves the rest to the test. */
class Far {
  readonly asked: { correlationId: number; version: number; timestamp: number }[] = [];
  readonly connection: MemoryConnection;
  closedBecause: string | undefined;

  constructor(connection: MemoryConnection, apiKeys: typeof advertisedApiKeys) {
    this.connection = connection;
    connection.receive({
      frame: (frame) => {
        const header = decodeRequestHeader(frame);
        if (header.apiKey === apiVersions.key) {
          connection.send(
            encodeResponse(apiVersions, header.apiVersion, header.correlationId, { errorCode: 0, apiKeys }),
          );
          return;
        }
        const { topics } = decodeRequest(listOffsets, header);
        const timestamp = topics[0]!.partitions[0]!.timestamp;
        this.asked.push({ correlationId: header.correlationId, version: header.apiVersion, timestamp });
      },
      closed: (reason) => (this.closedBecause = reason),
    });
  }

  answer(index: number, correlationId = this.asked[index]!.correlationId): void {
    const { version, timestamp } = this.asked[index]!;
    const partition = { partitionIndex: 0, errorCode: 0, offset: timestamp };
    this.connection.send(
      encodeResponse(listOffsets, version, correlationId, { topics: [{ name: "t", partitions: [partition] }] }),
    );
  }
}

function bench(
  options: { apiKeys?: typeof advertisedApiKeys; dial?: () => Promise<Connection>; timeoutMs?: number } = {},
) {
  const fars: Far[] = [];
  const dial = async () => {
    const [near, far] = MemoryConnection.pair();
    fars.push(new Far(far, options.apiKeys ?? advertisedApiKeys));
    return near;
  };
  const connection = new BrokerConnection({
    nodeId: 4,
    dial: options.dial ?? dial,
    clock: browserClock,
    clientId: "test",
    connectionTimeoutMs: options.timeoutMs ?? 1000,
    events,
  });
  const ask = async (timestamp: number, timeoutMs = 1000) => {
    const body = { topics: [{ name: "t", partitions: [{ partitionIndex: 0, timestamp }] }] };
    return (await connection.request(listOffsets, body, timeoutMs)).topics[0]!.partitions[0]!.offset;
  };
  return { connection, ask, fars };
}

/** When what was sent has arrived, and what it was answered. */
const soon = () => new Promise((resolve) => setTimeout(resolve, 10));

const arrived = (fars: readonly Far[], count: number) => expect.poll(() => fars.at(-1)?.asked.length).toBe(count);

describe("requests", () => {
  test("are pipelined, in the order in which they were made, also those made while it opens", async () => {
    const { ask, fars } = bench();
    const answers = [ask(1), ask(2)];
    await arrived(fars, 2);
    answers.push(ask(3));
    await arrived(fars, 3);
    expect(fars[0]!.asked.map(({ timestamp }) => timestamp)).toEqual([1, 2, 3]);
    for (const index of [0, 1, 2]) fars[0]!.answer(index);
    expect(await Promise.all(answers)).toEqual([1, 2, 3]);
    expect(fars).toHaveLength(1);
  });

  test("go out in the newest version that both sides speak", async () => {
    const older = bench({ apiKeys: [{ apiKey: listOffsets.key, minVersion: 0, maxVersion: 5 }] });
    const answer = older.ask(1);
    await arrived(older.fars, 1);
    expect(older.fars[0]!.asked[0]!.version).toBe(5);
    older.fars[0]!.answer(0);
    expect(await answer).toBe(1);
    for (const apiKeys of [[], [{ apiKey: listOffsets.key, minVersion: 90, maxVersion: 99 }]]) {
      await expect(bench({ apiKeys }).ask(1)).rejects.toThrow(KafkaJSServerDoesNotSupportApiKey);
    }
  });
});

describe("when the connection ends", () => {
  test("all that is open fails as retriable, and the next request dials again", async () => {
    const { ask, fars } = bench();
    const answers = [ask(1), ask(2)];
    await arrived(fars, 2);
    fars[0]!.connection.close("the tab died");
    for (const answer of answers) {
      await expect(answer).rejects.toThrow(KafkaJSConnectionClosedError);
      await expect(answer).rejects.toMatchObject({ retriable: true, broker: "4", message: /the tab died/ });
    }
    const again = ask(3);
    await expect.poll(() => fars.length).toBe(2);
    await arrived(fars, 1);
    fars[1]!.answer(0);
    expect(await again).toBe(3);
  });

  test("a dial that fails, and one that takes too long, are errors with a cause", async () => {
    const refused = bench({ dial: async () => Promise.reject(new Error("ICE failed")) });
    await expect(refused.ask(1)).rejects.toThrow(KafkaJSConnectionError);
    await expect(refused.ask(1)).rejects.toMatchObject({ retriable: true, cause: { message: "ICE failed" } });

    const [near, far] = MemoryConnection.pair();
    let open = () => {};
    const slow = bench({ dial: () => new Promise((resolve) => (open = () => resolve(near))), timeoutMs: 20 });
    await expect(slow.ask(1)).rejects.toThrow(/did not open within 20 ms/);
    let closed = "";
    far.receive({ frame: () => {}, closed: (reason) => (closed = reason) });
    open();
    await expect.poll(() => closed).toMatch(/too late/);
  });

  test("a broker that does not answer loses the connection, and all behind it with it", async () => {
    const { ask, fars } = bench();
    const late = ask(1, 30);
    const behind = ask(2);
    await expect(late).rejects.toThrow(KafkaJSRequestTimeoutError);
    await expect(late).rejects.toThrow(/ListOffsets to broker 4 was not answered within 30 ms/);
    await expect(behind).rejects.toThrow(KafkaJSConnectionClosedError);
    await expect.poll(() => fars[0]!.closedBecause).toMatch(/not answered/);
  });

  test.each([
    ["an answer out of order", (far: Far) => far.answer(1)],
    ["an answer to nothing", (far: Far) => far.answer(0, 77)],
    ["bytes that are no answer", (far: Far) => far.connection.send(new Uint8Array([0, 0]))],
    [
      "an answer cut short",
      (far: Far) => far.connection.send(new Uint8Array([0, 0, 0, far.asked[0]!.correlationId, 9])),
    ],
  ])("%s ends it", async (_, misbehave) => {
    const { ask, fars } = bench();
    const answers = [ask(1), ask(2)];
    await arrived(fars, 2);
    misbehave(fars[0]!);
    for (const answer of answers) await expect(answer).rejects.toThrow(/sent a bad response/);
  });

  test("closed by its owner, it stays closed", async () => {
    const { connection, ask, fars } = bench();
    const answer = ask(1);
    await arrived(fars, 1);
    connection.close("the client was closed");
    await expect(answer).rejects.toThrow(/the client was closed/);
    await expect(ask(2)).rejects.toThrow(/the client was closed/);
    expect(fars).toHaveLength(1);
  });

  test("closed by its owner while it is dialled, what waits fails at once, and what opens is closed", async () => {
    const [near, far] = MemoryConnection.pair();
    let closed = "";
    far.receive({ frame: () => {}, closed: (reason) => (closed = reason) });
    let open = () => {};
    const { connection, ask } = bench({ dial: () => new Promise((resolve) => (open = () => resolve(near))) });
    const answer = ask(1);
    connection.close("broker 4 is fenced");
    await expect(answer).rejects.toThrow(/broker 4 is fenced/);
    await expect(answer).rejects.toMatchObject({ name: "KafkaJSConnectionError", retriable: true, broker: "4" });
    await expect(ask(2)).rejects.toThrow(/broker 4 is fenced/);
    open();
    await expect.poll(() => closed).toBe("broker 4 is fenced");
  });

  test("closed by its owner while it asks for versions, it sends nothing more", async () => {
    const [near, far] = MemoryConnection.pair();
    let closed = "";
    let frames = 0;
    far.receive({ frame: () => frames++, closed: (reason) => (closed = reason) });
    const { connection, ask } = bench({ dial: async () => near });
    const answer = ask(1);
    await expect.poll(() => frames).toBe(1);
    connection.close("the client was closed");
    await expect(answer).rejects.toThrow(/the client was closed/);
    await expect(answer).rejects.toMatchObject({ name: "KafkaJSConnectionError", retriable: true, broker: "4" });
    await expect.poll(() => closed).toBe("the client was closed");
    await expect(ask(2)).rejects.toThrow(/the client was closed/);
    expect(frames).toBe(1);
  });

  test("before it is used, the error says why, and the next request dials again", async () => {
    let dials = 0;
    const { ask } = bench({
      dial: async () => {
        const [near, far] = MemoryConnection.pair();
        far.close(`the tab died ${++dials}`);
        await soon();
        return near;
      },
    });
    await expect(ask(1)).rejects.toThrow(/the tab died 1/);
    await expect(ask(2)).rejects.toThrow(/the tab died 2/);
  });

  test("together with the answer about versions, the next request dials again", async () => {
    const nears: MemoryConnection[] = [];
    const fars: Far[] = [];
    const { ask } = bench({
      dial: async () => {
        const [near, far] = MemoryConnection.pair();
        if (nears.push(near) === 1) near.hold();
        fars.push(new Far(far, advertisedApiKeys));
        return near;
      },
    });
    const lost = ask(1);
    await soon();
    fars[0]!.connection.close("the tab died");
    await soon();
    nears[0]!.release();
    await expect(lost).rejects.toThrow(/the tab died/);
    const answer = ask(2);
    await arrived(fars, 1);
    fars[1]!.answer(0);
    expect(await answer).toBe(2);
  });
});
