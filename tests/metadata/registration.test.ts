import { describe, expect, test } from "vitest";
import { errorName } from "../../src/protocol/error-codes.ts";
import type { ControllerConfig } from "../../src/metadata/controller-config.ts";
import { ControllerDriver, newDirectory, TestBroker, uuidOf } from "./controller-driver.ts";

/** The storage identity protocol of the reliability rules, step by step. */
function start(durability: "strict" | "relaxed" = "strict") {
  const driver = new ControllerDriver();
  const broker = TestBroker.start(driver, newDirectory(1, durability));
  const other = TestBroker.start(driver, newDirectory(2));
  return { driver, broker, other };
}

function listener(name: string) {
  return { name, host: "h", port: 1, securityProtocol: 0 };
}

function errorOf(response: { errorCode: number }): string {
  return errorName(response.errorCode);
}

describe("a storage directory", () => {
  test("gets the next small node id, and keeps it over restarts", () => {
    const { broker, other } = start();
    expect([broker.id, other.id]).toEqual([1, 2]);
    const before = broker.brokerEpoch;
    broker.die();
    broker.restart();
    expect(broker.id).toBe(1);
    expect(broker.brokerEpoch).toBeGreaterThan(before);
  });

  test("that was wiped is a new broker", () => {
    const { driver, broker } = start();
    broker.die();
    expect(TestBroker.start(driver, newDirectory(3)).id).toBe(3);
  });

  test("of another cluster is refused", () => {
    const { driver } = start();
    const stranger = new TestBroker(driver, newDirectory(9));
    expect(errorOf(stranger.register({ clusterId: "another" }))).toBe("INCONSISTENT_CLUSTER_ID");
  });

  test("a broker id that storage claims by itself is not believed", () => {
    const { driver, broker } = start();
    const liar = new TestBroker(driver, newDirectory(9));
    expect(liar.register({ brokerId: broker.id }).brokerId).toBe(3);
  });
});

describe("a registration", () => {
  test("stays fenced until it is confirmed and the broker has caught up", () => {
    const { driver } = start();
    const late = new TestBroker(driver, newDirectory(3));
    const granted = late.register();
    late.brokerEpoch = granted.brokerEpoch;
    late.directory.brokerId = granted.brokerId;
    expect(late.heartbeat().isFenced).toBe(true);
    late.store(granted);
    const behind = late.heartbeat({ metadataOffset: late.brokerEpoch - 1 });
    expect(behind).toMatchObject({ isFenced: true, isCaughtUp: false });
    expect(late.heartbeat()).toMatchObject({ isFenced: false, isCaughtUp: true });
  });

  test("that was cut short before the broker stored it is repeated with the same pending nonce", () => {
    const { driver, broker } = start();
    broker.die();
    broker.connectionId = driver.open();
    const lost = broker.register();
    broker.incarnationId = uuidOf(77);
    const again = broker.register();
    expect(errorOf(again)).toBe("NONE");
    expect(again.generation).toBe(lost.generation);
    expect(again.brokerEpoch).toBeGreaterThan(lost.brokerEpoch);
    broker.store(again);
    expect(broker.heartbeat().isFenced).toBe(false);
  });

  test("the first one of a directory can be cut short as well", () => {
    const driver = new ControllerDriver();
    const broker = new TestBroker(driver, newDirectory(1));
    broker.register();
    expect(broker.register()).toMatchObject({ errorCode: 0, brokerId: 1, generation: 1 });
  });

  test("[R12] is refused to a copy while the original lives", () => {
    const { driver, broker } = start();
    const copy = new TestBroker(driver, { ...broker.directory });
    expect(errorOf(copy.register())).toBe("DUPLICATE_BROKER_REGISTRATION");
    expect(broker.heartbeat()).toMatchObject({ errorCode: 0, isFenced: false });
  });

  test("[R11] is refused for good to a copy that the original has overtaken", () => {
    const { driver, broker } = start();
    const copied = { ...broker.directory };
    broker.die();
    broker.restart();
    broker.die();
    const copy = new TestBroker(driver, copied);
    expect(errorOf(copy.register())).toBe("INVALID_REGISTRATION");
    broker.restart();
    expect(broker.registration!.fenced).toBe(false);
  });

  test("[R11] of two copies the first to confirm is the broker, the other is refused", () => {
    const { driver, broker } = start();
    broker.die();
    const copy = new TestBroker(driver, { ...broker.directory });
    copy.join();
    expect(copy.id).toBe(1);
    copy.die();
    broker.connectionId = driver.open();
    expect(errorOf(broker.register())).toBe("INVALID_REGISTRATION");
  });

  test("[R19] is put off, not refused for good, by a server restored from a backup that is older", () => {
    const { driver, broker } = start();
    const backup = [...driver.log];
    broker.die();
    broker.restart();
    broker.die();
    const whole = driver.log;
    driver.log = backup;
    driver.restart();
    broker.connectionId = driver.open();
    expect(errorOf(broker.register())).toBe("OFFSET_OUT_OF_RANGE");
    driver.log = whole;
    driver.restart();
    broker.restart();
    expect(broker.id).toBe(1);
  });

  test("[R19] is put off by a server that was restored from before this storage was known", () => {
    const { driver, broker } = start();
    const seen = { metadataEpoch: 1, metadataOffset: driver.image.endOffset };
    driver.log = [];
    driver.restart();
    const late = new TestBroker(driver, { ...broker.directory });
    expect(errorOf(late.register(seen))).toBe("OFFSET_OUT_OF_RANGE");
    expect(errorOf(late.register({ metadataEpoch: 3 }))).toBe("OFFSET_OUT_OF_RANGE");
    expect(errorOf(late.register({ metadataEpoch: 2 }))).toBe("NONE");
  });

  test("[R12] anew by the same process fences the old epoch first", () => {
    const { driver, broker } = start();
    driver.createTopic("quakes", 1);
    const before = driver.partition("quakes");
    const epoch = broker.brokerEpoch;
    broker.join();
    expect(broker.brokerEpoch).toBeGreaterThan(epoch);
    expect(errorOf(broker.heartbeat({ epoch }))).toBe("STALE_BROKER_EPOCH");
    const after = driver.partition("quakes");
    expect(after.leader).toBe(2);
    expect(after.leaderEpoch).toBeGreaterThan(before.leaderEpoch);
    expect(after.isr).not.toContain(broker.id);
  });

  test.each([
    ["no storage directory", { logDirs: [] }],
    ["two storage directories", { logDirs: [uuidOf(1), uuidOf(2)] }],
    ["no pending nonce", { pendingNonce: null }],
    ["a pending nonce that is the last one", { nonce: "same", pendingNonce: "same" }],
    ["an unknown durability", { durability: "perhaps" }],
    ["a generation beyond reason", { generation: Number.MAX_SAFE_INTEGER }],
    ["a rack without end", { rack: "r".repeat(1_000) }],
    ["more listeners than anybody needs", { listeners: [..."abcdefghi"].map(listener) }],
    ["two listeners of one name", { listeners: [listener("TAB"), listener("TAB")] }],
  ])("with %s is refused", (_, flaw) => {
    const broker = new TestBroker(new ControllerDriver(), newDirectory(1));
    expect(errorOf(broker.register(flaw))).toBe("INVALID_REQUEST");
  });

  test("is refused to more brokers than a cluster may have", () => {
    const driver = new ControllerDriver({ maxBrokers: 1 });
    TestBroker.start(driver, newDirectory(1));
    expect(errorOf(new TestBroker(driver, newDirectory(2)).register())).toBe("POLICY_VIOLATION");
  });
});

describe("a registration in a full cluster", () => {
  test("takes the place of a broker that is gone and holds nothing, however short the controller has run", () => {
    const driver = new ControllerDriver({ maxBrokers: 4 });
    const holder = TestBroker.start(driver, newDirectory(1));
    driver.createTopic("quakes", 1, { replicationFactor: 1 });
    const [gone, there] = [2, 3].map((number) => TestBroker.start(driver, newDirectory(number)));
    const newest = TestBroker.start(driver, newDirectory(4));
    for (const broker of [holder, gone!, newest]) broker.die();
    driver.restart();
    expect(TestBroker.start(driver, newDirectory(5)).id).toBe(5);
    expect([...driver.image.brokers.keys()]).toEqual([holder.id, there!.id, newest.id, 5]);
    expect([...driver.replayed().brokers.keys()]).toEqual([...driver.image.brokers.keys()]);
  });

  test("takes the place of the broker with the highest id as well, and gets a higher one", () => {
    const driver = new ControllerDriver({ maxBrokers: 3 });
    for (const number of [1, 2]) TestBroker.start(driver, newDirectory(number));
    TestBroker.start(driver, newDirectory(3)).die();
    expect(new TestBroker(driver, newDirectory(4)).register()).toMatchObject({ errorCode: 0, brokerId: 4 });
    expect([...driver.image.brokers.keys()]).toEqual([1, 2, 4]);
    expect([...driver.replayed().brokers.keys()]).toEqual([...driver.image.brokers.keys()]);
  });

  test("takes the place of one broker only, of the one that has been gone for longest", () => {
    const driver = new ControllerDriver({ maxBrokers: 4 });
    const [first, second] = [1, 2, 3, 4].map((number) => TestBroker.start(driver, newDirectory(number)));
    second!.die();
    driver.advance(1);
    first!.die();
    expect(TestBroker.start(driver, newDirectory(5)).id).toBe(5);
    expect([...driver.image.brokers.keys()]).toEqual([1, 3, 4, 5]);
    expect(TestBroker.start(driver, newDirectory(6)).id).toBe(6);
    expect([...driver.image.brokers.keys()]).toEqual([3, 4, 5, 6]);
  });

  test("takes the place of nobody who is just registering", () => {
    const driver = new ControllerDriver({ maxBrokers: 3 });
    TestBroker.start(driver, newDirectory(1));
    const [first, second] = [2, 3].map((number) => new TestBroker(driver, newDirectory(number)));
    first!.register();
    second!.register();
    const late = new TestBroker(driver, newDirectory(4));
    expect(errorOf(late.register())).toBe("POLICY_VIOLATION");
    expect([...driver.image.brokers.keys()]).toEqual([1, 2, 3]);
    first!.die();
    expect(late.register()).toMatchObject({ errorCode: 0, brokerId: 4 });
    expect([...driver.image.brokers.keys()]).toEqual([1, 3, 4]);
  });
});

describe("places in ISR and ELR over a restart", () => {
  test("[R11] strict storage with the right identity keeps them: what was acknowledged was flushed", () => {
    const { driver, broker, other } = start("strict");
    driver.createTopic("quakes", 1, { replicationFactor: 2 });
    broker.die();
    expect(driver.partition("quakes")).toMatchObject({ isr: [2], eligibleLeaderReplicas: [1] });
    other.die();
    broker.restart();
    expect(driver.partition("quakes")).toMatchObject({ leader: 1, isr: [1], eligibleLeaderReplicas: [2] });
  });

  test("[R11] relaxed storage gives them up: it cannot tell whether it lost its last writes", () => {
    const { driver, broker, other } = start("relaxed");
    driver.createTopic("quakes", 1, { replicationFactor: 2 });
    broker.die();
    other.die();
    broker.restart();
    expect(driver.partition("quakes")).toMatchObject({
      leader: -1,
      isr: [2],
      eligibleLeaderReplicas: [],
      lastKnownElr: [1],
    });
    other.restart();
    expect(driver.partition("quakes")).toMatchObject({ leader: 2 });
  });

  test("[R11] strict storage gives them up for the topics that are relaxed, and keeps the others", () => {
    const { driver, broker, other } = start("strict");
    driver.createTopic("safe", 1, { replicationFactor: 2 });
    driver.createTopic("fast", 1, { replicationFactor: 2, configs: [{ name: "durability", value: "relaxed" }] });
    broker.die();
    other.die();
    broker.restart();
    expect(driver.partition("safe")).toMatchObject({ leader: 1, isr: [1], eligibleLeaderReplicas: [2] });
    expect(driver.partition("fast")).toMatchObject({ leader: -1, isr: [2], lastKnownElr: [1] });
  });

  test("[R11] what counts is how the records were written, not how the next ones will be", () => {
    const { driver, broker, other } = start("relaxed");
    driver.createTopic("quakes", 1, { replicationFactor: 2 });
    broker.die();
    other.die();
    broker.directory.durability = "strict";
    broker.restart();
    expect(driver.partition("quakes").leader).toBe(-1);
  });

  test("a lone relaxed tab leads again after a reload, for there is no better copy", () => {
    const driver = new ControllerDriver();
    const only = TestBroker.start(driver, newDirectory(1, "relaxed"));
    driver.createTopic("quakes", 1);
    only.die();
    only.restart();
    expect(driver.partition("quakes")).toMatchObject({ leader: 1, isr: [1] });
  });
});

describe("listeners", () => {
  test("the Kafka listener's endpoint follows from the node id, whatever the broker claims", () => {
    const driver = new ControllerDriver({ kafkaListener: { host: "127.0.0.1", basePort: 9092 } });
    const broker = new TestBroker(driver, newDirectory(1));
    broker.register({
      listeners: [
        { name: "TAB", host: "peer", port: 0, securityProtocol: 0 },
        { name: "KAFKA", host: "elsewhere", port: 1, securityProtocol: 0 },
      ],
    });
    expect(driver.image.brokers.get(1)!.listeners).toEqual([
      { name: "TAB", host: "peer", port: 0 },
      { name: "KAFKA", host: "127.0.0.1", port: 9094 },
    ]);
  });

  test("a port that does not exist is left out", () => {
    const driver = new ControllerDriver({ kafkaListener: { host: "127.0.0.1", basePort: 65_535 } });
    const broker = TestBroker.start(driver, newDirectory(1));
    expect(broker.registration!.listeners.map(({ name }) => name)).toEqual(["TAB"]);
  });

  test("brokers stay registered when the server comes back with another Kafka listener, the same, or none", () => {
    const driver = new ControllerDriver();
    TestBroker.start(driver, newDirectory(1));
    const before = driver.image.brokers.get(1)!;
    const restarted = (kafkaListener: ControllerConfig["kafkaListener"]) => {
      driver.restart({ kafkaListener });
      return driver.image.brokers.get(1)!;
    };
    const kafka = { name: "KAFKA", host: "example", port: 9094 };
    const first = { host: "example", basePort: 9092 };
    expect(restarted(first)).toEqual({ ...before, listeners: [...before.listeners, kafka] });
    const { endOffset } = driver.image;
    expect(restarted(first).listeners).toContainEqual(kafka);
    // Only the new controller's own record.
    expect(driver.image.endOffset).toBe(endOffset + 1);
    const other = restarted({ host: "other", basePort: 1000 });
    expect(other.listeners).toContainEqual({ name: "KAFKA", host: "other", port: 1002 });
    expect(restarted(undefined)).toEqual(before);
  });
});

describe("brokers that are gone for good", () => {
  test("are forgotten when they hold nothing, and their node ids are not given again", () => {
    const driver = new ControllerDriver({ forgetBrokerAfterMs: 3_600_000 });
    const [first, second] = [1, 2].map((number) => TestBroker.start(driver, newDirectory(number)));
    first!.die();
    second!.die();
    driver.advance(3_700_000);
    expect([...driver.image.brokers.keys()]).toEqual([2]);
    expect(driver.image.directories.has(uuidOf(1))).toBe(false);
    first!.directory.brokerId = -1;
    first!.connectionId = driver.open();
    const back = first!.register();
    expect(back).toMatchObject({ errorCode: 0, brokerId: 3 });
  });

  test("are kept while they hold a replica", () => {
    const driver = new ControllerDriver({ forgetBrokerAfterMs: 3_600_000 });
    const broker = TestBroker.start(driver, newDirectory(1));
    driver.createTopic("quakes", 1);
    TestBroker.start(driver, newDirectory(2)).die();
    broker.die();
    driver.advance(3_700_000);
    expect(driver.image.brokers.has(1)).toBe(true);
  });
});
