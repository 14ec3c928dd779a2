import { describe, expect, test, vi } from "vitest";
import { defaultRetry, retryPause, retryPolicy } from "../../src/client/backoff.ts";
import { Emitter } from "../../src/client/events.ts";
import { serverAddress } from "../../src/client/kafka.ts";
import { createLogger, logLevel } from "../../src/client/logger.ts";
import type { LogEntry } from "../../src/client/logger.ts";
import { Bytes } from "../../src/client/messages.ts";
import { ScriptedCluster } from "./scripted-cluster.ts";

describe("the address of the server", () => {
  test.each([
    ["ws://localhost:8080", "ws://localhost:8080", "tabstream"],
    ["wss://example.org/", "wss://example.org", "tabstream"],
    ["https://example.org:444/team-1", "https://example.org:444", "team-1"],
    ["http://[::1]:8080/a.b_c/", "http://[::1]:8080", "a.b_c"],
  ])("%s", (address, serverUrl, cluster) => {
    expect(serverAddress([address])).toEqual({ serverUrl, cluster });
  });

  test.each([
    "localhost:9092",
    "ftp://example.org",
    "",
    "ws://example.org/a/b",
    "ws://example.org/a%20b",
    `ws://x/${"c".repeat(65)}`,
  ])("%s is refused", (address) => expect(() => serverAddress([address])).toThrow(/no (address|cluster name)/));

  test("must be there", () => {
    expect(() => serverAddress([])).toThrow(/brokers is empty/);
    const kafkaJsHas = (async () => ["ws://localhost:8080"]) as unknown as string[];
    expect(() => serverAddress(kafkaJsHas)).toThrow(/brokers is empty, or no array/);
  });

  test("goes without a password, and says so", () => {
    const config: object = { sasl: { mechanism: "plain", username: "u", password: "p" } };
    expect(() => new ScriptedCluster().kafka(config)).toThrow(/no authentication.*leave sasl out/);
  });
});

test("clients of one Kafka share a connection to the server, from the first to the last of them", async () => {
  const cluster = new ScriptedCluster();
  let opened = 0;
  let closed = 0;
  const platform = cluster.platform.bind(cluster);
  cluster.platform = () => {
    opened++;
    const made = platform();
    return { ...made, close: () => (closed++, made.close()) };
  };
  const kafka = cluster.kafka();
  const clients = [kafka.producer(), kafka.consumer(), kafka.admin()];
  await Promise.all(clients.map((client) => client.connect()));
  await Promise.all(clients.map((client) => client.connect()));
  expect([opened, closed]).toEqual([1, 0]);
  for (const client of clients) await client.disconnect();
  for (const client of clients) await client.disconnect();
  expect([opened, closed]).toEqual([1, 1]);
  await clients[0]!.connect();
  expect([opened, closed]).toEqual([2, 1]);
  await clients[0]!.disconnect();
});

test("a platform that cannot be made is tried again by the next client, and each hears why", async () => {
  const cluster = new ScriptedCluster();
  const platform = cluster.platform.bind(cluster);
  cluster.platform = () => {
    throw new Error("no socket may be opened here");
  };
  const kafka = cluster.kafka();
  const [admin, producer] = [kafka.admin(), kafka.producer()];
  await expect(admin.connect()).rejects.toThrow("no socket may be opened here");
  await expect(producer.connect()).rejects.toThrow("no socket may be opened here");
  cluster.platform = platform;
  await admin.connect();
  expect(await admin.listTopics()).toEqual([]);
  await admin.disconnect();
});

describe.each(["producer", "consumer", "admin"] as const)("%s: of calls that overlap, the last one holds", (kind) => {
  test("disconnecting while it connects, and connecting again", async () => {
    const client = new ScriptedCluster().kafka()[kind]();
    const connected = vi.fn();
    client.on(`${kind}.connect`, connected);
    const first = client.connect();
    await client.disconnect();
    const second = client.connect();
    await expect(first).rejects.toThrow(`disconnect() was called before the ${kind} was connected`);
    await second;
    expect(connected).toHaveBeenCalledOnce();
    await client.disconnect();
  });

  test("disconnecting while it tries in vain to connect, which ends whoever tries until it works", async () => {
    const cluster = new ScriptedCluster();
    cluster.platform = () => {
      throw new Error("no socket may be opened here");
    };
    const client = cluster.kafka()[kind]();
    const first = client.connect();
    await client.disconnect();
    await expect(first).rejects.toMatchObject({
      name: "KafkaJSError",
      message: `disconnect() was called before the ${kind} was connected`,
    });
    await expect(client.connect()).rejects.toThrow("no socket may be opened here");
  });

  test("connecting while it disconnects, and disconnecting twice", async () => {
    const client = new ScriptedCluster().kafka()[kind]();
    const events: string[] = [];
    for (const what of ["connect", "disconnect"]) client.on(`${kind}.${what}`, () => void events.push(what));
    await client.connect();
    const first = client.disconnect();
    const second = client.disconnect();
    await client.connect();
    expect(events).toEqual(["connect", "disconnect", "connect"]);
    await Promise.all([first, second]);
    await client.disconnect();
    expect(events).toEqual(["connect", "disconnect", "connect", "disconnect"]);
  });
});

describe("pauses between attempts", () => {
  test("grow, up to a limit, with some chance in them", () => {
    const policy = retryPolicy({ initialRetryTime: 100, maxRetryTime: 1000, multiplier: 2, factor: 0.2 });
    expect([0, 1, 2, 3, 4, 50].map((count) => retryPause(policy, count, 0.5))).toEqual([
      100, 200, 400, 800, 1000, 1000,
    ]);
    expect([0, 0.999999].map((random) => retryPause(policy, 0, random))).toEqual([80, 120]);
  });

  test("later options win, and what is undefined does not count", () => {
    const policy = retryPolicy({ retries: 3, initialRetryTime: 7 }, undefined, { retries: 9 });
    expect(policy).toEqual({ ...defaultRetry, retries: 9, initialRetryTime: 7 });
  });
});

describe("the logger", () => {
  function logger(level: logLevel) {
    const entries: LogEntry[] = [];
    const levels: logLevel[] = [];
    const logCreator = (created: logLevel) => {
      levels.push(created);
      return (entry: LogEntry) => void entries.push(entry);
    };
    return { logger: createLogger({ level, logCreator, wallNow: () => 0 }), entries, levels };
  }

  test("writes entries in KafkaJS's shape", () => {
    const { logger: root, entries, levels } = logger(logLevel.INFO);
    root.namespace("Producer").warn("hot", { celsius: 40 });
    expect(entries).toEqual([
      {
        namespace: "Producer",
        level: logLevel.WARN,
        label: "WARN",
        log: { timestamp: "1970-01-01T00:00:00.000Z", message: "hot", celsius: 40 },
      },
    ]);
    expect(levels).toEqual([logLevel.INFO]);
  });

  test("follows the level, of its own or of all", () => {
    const { logger: root, entries } = logger(logLevel.ERROR);
    const chatty = root.namespace("a", logLevel.DEBUG);
    const other = root.namespace("b");
    chatty.debug("1");
    other.info("2");
    root.setLogLevel(logLevel.INFO);
    other.info("3");
    other.debug("4");
    root.setLogLevel(logLevel.NOTHING);
    other.error("5");
    expect(entries.map(({ log }) => log.message)).toEqual(["1", "3"]);
  });
});

test("a listener that throws is logged, and the others hear of the event all the same", () => {
  const entries: LogEntry[] = [];
  const logger = createLogger({
    level: logLevel.ERROR,
    logCreator: () => (entry) => void entries.push(entry),
    wallNow: () => 0,
  });
  const emitter = new Emitter(() => 42, logger);
  const heard: unknown[] = [];
  emitter.on("e", () => {
    throw new Error("mine");
  });
  emitter.on("e", (event) => heard.push(event));
  emitter.emit("e", () => ({ made: "once" }));
  emitter.emit("unheard", () => expect.fail("nobody listens"));
  expect(heard).toEqual([{ id: "0", type: "e", timestamp: 42, payload: { made: "once" } }]);
  expect(entries[0]!.log.message).toBe("A listener of e failed");
});

test("a listener that fails later is logged, too", async () => {
  const entries: LogEntry[] = [];
  const logCreator = () => (entry: LogEntry) => void entries.push(entry);
  const logger = createLogger({ level: logLevel.ERROR, logCreator, wallNow: () => 0 });
  const emitter = new Emitter(() => 42, logger);
  emitter.on("e", async () => {
    throw new Error("mine");
  });
  emitter.emit("e", null);
  await expect.poll(() => entries.map(({ log }) => log.message)).toEqual(["A listener of e failed"]);
});

test("Bytes are a Uint8Array that reads as text", () => {
  const bytes = new Bytes(new TextEncoder().encode("grüße"));
  expect(bytes.toString()).toBe("grüße");
  expect(`${bytes}`).toBe("grüße");
  expect(bytes.subarray(0, 2).toString()).toBe("gr");
  expect(bytes).toBeInstanceOf(Uint8Array);
  expect([bytes.toString("utf8"), new Bytes([0xfc]).toString("latin1")]).toEqual(["grüße", "ü"]);
  // A Buffer would write these; text in another form is worse than none.
  expect(() => bytes.toString("hex")).toThrow(RangeError);
});
