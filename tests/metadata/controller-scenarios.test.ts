import { describe, expect, test } from "vitest";
import { errorCode } from "../../src/protocol/error-codes.ts";
import { catchUp, ControllerDriver, newDirectory, TestBroker } from "./controller-driver.ts";

function cluster(count: number, racks: (index: number) => string | null = () => null) {
  const driver = new ControllerDriver();
  const brokers = Array.from({ length: count }, (_, index) =>
    TestBroker.start(driver, newDirectory(index + 1), racks(index)),
  );
  return { driver, brokers };
}

function beat(brokers: readonly TestBroker[], ms: number): void {
  const { driver } = brokers[0]!;
  for (let passed = 0; passed < ms; passed += 500) {
    for (const broker of brokers) broker.heartbeat();
    driver.advance(500);
  }
}

describe("a cluster of tabs", () => {
  test("a topic made in a lone tab gains replicas as tabs join, and its leaders spread", () => {
    const { driver, brokers } = cluster(1);
    expect(driver.createTopic("quakes", 3)).toMatchObject({ errorCode: 0, replicationFactor: 3 });
    expect(driver.partition("quakes").replicas).toEqual([1]);

    brokers.push(TestBroker.start(driver, newDirectory(2)), TestBroker.start(driver, newDirectory(3)));
    beat(brokers, 1_000);
    expect(driver.partition("quakes").replicas).toHaveLength(3);
    expect(driver.partition("quakes").addingReplicas).toHaveLength(2);

    catchUp(driver, brokers);
    beat(brokers, 5_000);
    const partitions = [0, 1, 2].map((index) => driver.partition("quakes", index));
    expect(partitions.map(({ isr }) => isr.length)).toEqual([3, 3, 3]);
    expect(partitions.map(({ addingReplicas }) => addingReplicas)).toEqual([[], [], []]);
    expect(partitions.map(({ leader }) => leader).sort()).toEqual([1, 2, 3]);
    expect(partitions.every(({ leader, replicas }) => replicas[0] === leader)).toBe(true);
  });

  test("[R1] when the leader's socket closes another in-sync replica leads in the next moment", () => {
    const { driver, brokers } = cluster(3);
    driver.createTopic("quakes", 1);
    const before = driver.partition("quakes");
    const leader = brokers.find(({ id }) => id === before.leader)!;
    leader.die();
    const after = driver.partition("quakes");
    expect(after.isr).toEqual(before.isr.filter((node) => node !== leader.id));
    expect(after.isr).toContain(after.leader);
    expect(after.leaderEpoch).toBe(before.leaderEpoch + 1);
    expect(after.partitionEpoch).toBe(before.partitionEpoch + 1);
  });

  test("a silent broker is fenced once its session has passed, and not before", () => {
    const { brokers } = cluster(3);
    const [silent, ...others] = brokers;
    beat(others, 3_500);
    expect(silent!.registration!.fenced).toBe(false);
    beat(others, 1_000);
    expect(silent!.registration!.fenced).toBe(true);
    expect(others.every(({ registration }) => registration!.fenced === false)).toBe(true);
  });

  test("a controller that was held up hears what has arrived before it fences anybody", () => {
    const { driver, brokers } = cluster(2);
    driver.nowMs += 60_000;
    brokers[0]!.heartbeat();
    driver.wake();
    expect(brokers.map(({ registration }) => registration!.fenced)).toEqual([false, true]);
  });

  test("a fenced broker that speaks again with its epoch is unfenced, on whatever connection", () => {
    const { driver, brokers } = cluster(2);
    const broker = brokers[0]!;
    broker.die();
    expect(broker.registration!.fenced).toBe(true);
    broker.connectionId = driver.open();
    expect(broker.heartbeat()).toMatchObject({ errorCode: 0, isFenced: false });
  });

  test("the close of an old connection does not fence a broker that has moved to a new one", () => {
    const { driver, brokers } = cluster(1);
    const broker = brokers[0]!;
    const old = broker.connectionId;
    broker.connectionId = driver.open();
    broker.heartbeat();
    driver.close(old);
    expect(broker.registration!.fenced).toBe(false);
  });

  test("controlled shutdown moves leadership first, and lets the broker go once the others know", () => {
    const { driver, brokers } = cluster(3);
    driver.createTopic("quakes", 3);
    const leaving = brokers[0]!;
    expect(leaving.heartbeat({ wantShutDown: true })).toMatchObject({ shouldShutDown: false, isFenced: false });
    for (const index of [0, 1, 2]) {
      expect(driver.partition("quakes", index).leader).not.toBe(leaving.id);
      expect(driver.partition("quakes", index).isr).not.toContain(leaving.id);
    }
    brokers[1]!.heartbeat();
    expect(leaving.heartbeat({ wantShutDown: true }).shouldShutDown).toBe(false);
    brokers[2]!.heartbeat();
    expect(leaving.heartbeat({ wantShutDown: true })).toMatchObject({ shouldShutDown: true, isFenced: true });
  });

  const report = ({ registration }: TestBroker) => ({ offlineLogDirs: [registration!.directoryId] });

  test("[R20] a storage reported as damaged is written off only while somebody else has what it has", () => {
    const { driver, brokers } = cluster(2);
    driver.createTopic("quakes", 1);
    const [first, second] = brokers as [TestBroker, TestBroker];
    expect(first.heartbeat(report(second))).toMatchObject({ errorCode: 0, isFenced: false });
    expect(first.heartbeat(report(first))).toMatchObject({ errorCode: errorCode("KAFKA_STORAGE_ERROR"), isFenced: true });
    expect(driver.partition("quakes")).toMatchObject({ isr: [second.id], eligibleLeaderReplicas: [], leader: second.id });
    expect(second.heartbeat(report(second))).toMatchObject({ errorCode: 0, isFenced: true });
    expect(driver.partition("quakes")).toMatchObject({ isr: [second.id], leader: -1 });
  });

  test("[R20] nobody gives a storage up because of another one that is damaged, and kept", () => {
    const { driver, brokers } = cluster(2);
    const [first, second] = brokers as [TestBroker, TestBroker];
    driver.createTopic("quakes", 1);
    driver.createTopic("alone", -1, { assignments: [{ partitionIndex: 0, brokerIds: [first.id] }] });
    expect(first.heartbeat(report(first))).toMatchObject({ errorCode: 0, isFenced: true });
    expect(second.heartbeat(report(second))).toMatchObject({ errorCode: 0, isFenced: true });
    expect(driver.partition("quakes")).toMatchObject({ isr: [second.id], eligibleLeaderReplicas: [first.id] });
  });

  test("the last tab may shut down at once, and leads again when it comes back", () => {
    const { driver, brokers } = cluster(1);
    driver.createTopic("quakes", 1);
    const only = brokers[0]!;
    expect(only.heartbeat({ wantShutDown: true }).shouldShutDown).toBe(true);
    expect(driver.partition("quakes")).toMatchObject({ leader: -1, isr: [only.id] });
    only.die();
    only.restart();
    expect(driver.partition("quakes")).toMatchObject({ leader: only.id, isr: [only.id], leaderEpoch: 2 });
  });

  test("[R13] all tabs closed overnight: the one with everything leads again, in whatever order they return", () => {
    const { driver, brokers } = cluster(3);
    driver.createTopic("quakes", 1);
    for (const broker of brokers) broker.die();
    const dark = driver.partition("quakes");
    expect(dark).toMatchObject({ leader: -1 });
    expect([...dark.isr, ...dark.eligibleLeaderReplicas]).toHaveLength(2);
    driver.advance(12 * 3_600_000);
    const incomplete = brokers.find(({ id }) => ![...dark.isr, ...dark.eligibleLeaderReplicas].includes(id))!;
    incomplete.restart();
    expect(driver.partition("quakes").leader).toBe(-1);
    const eligible = brokers.find(({ id }) => dark.eligibleLeaderReplicas.includes(id))!;
    eligible.restart();
    expect(driver.partition("quakes").leader).toBe(eligible.id);
  });

  test("a replica gone for longer than the delay is replaced by another tab", () => {
    const { driver, brokers } = cluster(4);
    driver.createTopic("quakes", 1);
    const before = driver.partition("quakes");
    const gone = brokers.find(({ id }) => before.replicas.includes(id) && id !== before.leader)!;
    const spare = brokers.find(({ id }) => !before.replicas.includes(id))!;
    gone.die();
    const others = brokers.filter((broker) => broker !== gone);
    beat(others, 59_000);
    expect(driver.partition("quakes").replicas).toContain(gone.id);
    beat(others, 2_000);
    expect(driver.partition("quakes").replicas).not.toContain(gone.id);
    expect(driver.partition("quakes").addingReplicas).toEqual([spare.id]);
    catchUp(driver, others);
    expect(driver.partition("quakes")).toMatchObject({ addingReplicas: [], eligibleLeaderReplicas: [] });
    expect(driver.partition("quakes").isr).toHaveLength(3);
  });

  test("a replica is replaced at whatever fraction of a millisecond its broker went", () => {
    const { driver, brokers } = cluster(4);
    driver.createTopic("quakes", 1);
    const before = driver.partition("quakes");
    const gone = brokers.find(({ id }) => before.replicas.includes(id) && id !== before.leader)!;
    const others = brokers.filter((broker) => broker !== gone);
    // Rounded, the end of the delay less its beginning is less than the delay.
    const goneAtMs = 5_536.0152;
    expect(goneAtMs + 60_000 - goneAtMs).toBeLessThan(60_000);
    beat(brokers, 4_000);
    driver.nowMs = goneAtMs;
    gone.die();
    beat(others, 61_000);
    expect(driver.partition("quakes").replicas).not.toContain(gone.id);
  });

  test("with nobody to replace it the assignment shrinks, and grows again when the tab returns", () => {
    const { driver, brokers } = cluster(3);
    driver.createTopic("quakes", 1);
    const gone = brokers[2]!;
    gone.die();
    const others = brokers.slice(0, 2);
    beat(others, 62_000);
    expect([...driver.partition("quakes").replicas].sort()).toEqual([1, 2]);
    gone.restart();
    beat(brokers, 2_000);
    expect(driver.partition("quakes").addingReplicas).toEqual([3]);
    catchUp(driver, brokers);
    expect([...driver.partition("quakes").isr].sort()).toEqual([1, 2, 3]);
  });

  test("replicas spread over racks before they spread over brokers", () => {
    const { driver } = cluster(4, (index) => (index < 3 ? "profile a" : "profile b"));
    driver.createTopic("quakes", 4, { replicationFactor: 2 });
    for (const index of [0, 1, 2, 3]) expect(driver.partition("quakes", index).replicas).toContain(4);
  });
});

describe("a restart of the controller", () => {
  test("keeps every leader, and grants the brokers a whole session", () => {
    const { driver, brokers } = cluster(3);
    driver.createTopic("quakes", 6);
    const before = [...driver.image.partitions()];
    driver.restart();
    expect([...driver.image.partitions()]).toEqual(before);
    driver.advance(3_900);
    for (const broker of brokers) {
      broker.connectionId = driver.open();
      expect(broker.heartbeat()).toMatchObject({ errorCode: 0, isFenced: false });
    }
    driver.advance(3_900);
    expect([...driver.image.partitions()]).toEqual(before);
  });

  test("fences those who do not come back within a session", () => {
    const { driver, brokers } = cluster(3);
    driver.restart();
    driver.advance(3_000);
    for (const broker of brokers.slice(1)) {
      broker.connectionId = driver.open();
      broker.heartbeat();
    }
    driver.advance(1_500);
    expect(brokers.map(({ registration }) => registration!.fenced)).toEqual([true, false, false]);
  });

  test("replays the log to the image that was decided", () => {
    const { driver, brokers } = cluster(3);
    driver.createTopic("quakes", 4);
    brokers[1]!.die();
    beat([brokers[0]!, brokers[2]!], 5_000);
    brokers[1]!.restart();
    catchUp(driver, brokers);
    expect(driver.replayed()).toEqual(driver.image);
  });

  test("does not forget a leader's epochs: a proposal from before it still counts", () => {
    const { driver, brokers } = cluster(3);
    driver.createTopic("quakes", 1);
    const partition = driver.partition("quakes");
    const leader = brokers.find(({ id }) => id === partition.leader)!;
    driver.restart();
    leader.connectionId = driver.open();
    const { topics } = leader.proposeIsr(partition, [leader.id]);
    expect(topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, isr: [leader.id] });
  });
});
