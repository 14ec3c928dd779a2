import { expect, test } from "vitest";
import { errorName } from "../../src/protocol/error-codes.ts";
import { ControllerDriver, newDirectory, TestBroker, uuidOf } from "./controller-driver.ts";

function start() {
  const driver = new ControllerDriver();
  const brokers = [1, 2, 3].map((number) => TestBroker.start(driver, newDirectory(number)));
  driver.createTopic("quakes", 1);
  const partition = driver.partition("quakes");
  const leader = brokers.find(({ id }) => id === partition.leader)!;
  const [follower, another] = brokers.filter((broker) => broker !== leader) as [TestBroker, TestBroker];
  return { driver, brokers, leader, follower, another };
}

type Answer = ReturnType<TestBroker["proposeIsr"]>;

function errorOf(answer: Answer): string {
  return errorName(answer.topics[0]?.partitions[0]?.errorCode ?? answer.errorCode);
}

test("[R9] a leader may shrink its ISR and grow it again", () => {
  const { driver, leader, follower, another } = start();
  const shrunk = leader.proposeIsr(driver.partition("quakes"), [leader.id, another.id]);
  expect(shrunk.topics[0]!.partitions[0]).toMatchObject({
    errorCode: 0,
    leaderId: leader.id,
    leaderEpoch: 0,
    isr: [leader.id, another.id],
    partitionEpoch: 1,
  });
  const grown = leader.proposeIsr(driver.partition("quakes"), [leader.id, follower.id, another.id]);
  expect(grown.topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, partitionEpoch: 2 });
  expect(driver.partition("quakes").isr).toHaveLength(3);
});

test("[R9] 1: an unknown topic or partition", () => {
  const { driver, leader } = start();
  const partition = driver.partition("quakes");
  expect(errorOf(leader.proposeIsr({ ...partition, topicId: uuidOf(99) }, [leader.id]))).toBe("UNKNOWN_TOPIC_ID");
  const beyond = { ...partition, partitionIndex: 7 };
  expect(errorOf(leader.proposeIsr(beyond, [leader.id]))).toBe("UNKNOWN_TOPIC_OR_PARTITION");
});

test("[R9] 2: epochs that are ahead of the controller mean that it is not the controller", () => {
  const { driver, follower } = start();
  const partition = driver.partition("quakes");
  for (const ahead of [{ leaderEpoch: 1, partitionEpoch: -1 }, { partitionEpoch: 1 }]) {
    expect(errorOf(follower.proposeIsr(partition, [follower.id], ahead))).toBe("NOT_CONTROLLER");
  }
});

test("[R9] 3: an older leader epoch is fenced, whatever else is wrong", () => {
  const { driver, leader, brokers } = start();
  leader.die();
  const partition = driver.partition("quakes");
  const next = brokers.find(({ id }) => id === partition.leader)!;
  const stale = { leaderEpoch: partition.leaderEpoch - 1, partitionEpoch: partition.partitionEpoch - 1 };
  expect(errorOf(next.proposeIsr(partition, [], stale))).toBe("FENCED_LEADER_EPOCH");
});

test("[R9] 4: a proposal based on an older partition epoch comes too late", () => {
  const { driver, leader, follower } = start();
  const before = driver.partition("quakes");
  leader.proposeIsr(before, [leader.id, follower.id]);
  expect(errorOf(leader.proposeIsr(before, [leader.id]))).toBe("INVALID_UPDATE_VERSION");
  expect(driver.partition("quakes").isr).toEqual([leader.id, follower.id]);
});

test("[R9] 5: only the leader may propose, and only replicas, itself among them, each once", () => {
  const { driver, leader, follower } = start();
  const partition = driver.partition("quakes");
  expect(errorOf(follower.proposeIsr(partition, partition.isr))).toBe("INVALID_REQUEST");
  for (const isr of [[], [follower.id], [leader.id, 77], [leader.id, follower.id, follower.id]]) {
    expect(errorOf(leader.proposeIsr(partition, isr))).toBe("INVALID_REQUEST");
  }
});

test("[R9] 6: a fenced or leaving broker is not eligible", () => {
  const { driver, leader, follower, another } = start();
  follower.die();
  const isr = [leader.id, follower.id, another.id];
  expect(errorOf(leader.proposeIsr(driver.partition("quakes"), isr))).toBe("INELIGIBLE_REPLICA");
  another.heartbeat({ wantShutDown: true });
  expect(errorOf(leader.proposeIsr(driver.partition("quakes"), [leader.id, another.id]))).toBe("INELIGIBLE_REPLICA");
});

test("[R9] [R8] 6: a replica that has restarted since it caught up is not eligible", () => {
  const { driver, leader, follower, another } = start();
  const epochs = new Map([[follower.id, follower.brokerEpoch]]);
  follower.die();
  follower.restart();
  const isr = [leader.id, follower.id, another.id];
  expect(errorOf(leader.proposeIsr(driver.partition("quakes"), isr, { epochs }))).toBe("INELIGIBLE_REPLICA");
  expect(errorOf(leader.proposeIsr(driver.partition("quakes"), isr))).toBe("NONE");
});

test("[R9] 6: an epoch that the leader does not know keeps a member, and admits none", () => {
  const { driver, leader, follower, another } = start();
  const epochs = new Map([[follower.id, -1], [another.id, -1]]);
  const smaller = [leader.id, follower.id];
  expect(errorOf(leader.proposeIsr(driver.partition("quakes"), smaller, { epochs }))).toBe("NONE");
  const larger = [leader.id, follower.id, another.id];
  expect(errorOf(leader.proposeIsr(driver.partition("quakes"), larger, { epochs }))).toBe("INELIGIBLE_REPLICA");
});

test("[R2] a request in an older broker epoch is refused as a whole", () => {
  const { driver, leader } = start();
  leader.brokerEpoch -= 1;
  const answer = leader.proposeIsr(driver.partition("quakes"), [leader.id]);
  expect(errorName(answer.errorCode)).toBe("STALE_BROKER_EPOCH");
});
