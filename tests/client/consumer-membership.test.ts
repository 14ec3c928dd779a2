import { afterEach, describe, expect, test } from "vitest";
import { AssignerProtocol } from "../../src/client/assigners/assigner-protocol.ts";
import { PartitionAssigners } from "../../src/client/assigners/partition-assigners.ts";
import type { ConsumerConfig } from "../../src/client/consumer-types.ts";
import {
  balanced,
  cluster,
  comeAndGoUnderLoad,
  committed,
  coordinatorOf,
  kill,
  longestGap,
  Member,
  PARTITIONS,
  produce,
  producer,
  range,
  seenOf,
  SESSION_TIMEOUT_MS,
  start,
  stopAll,
  valuesOf,
} from "./group-members.ts";
import { pause } from "./live-cluster.ts";

/** Groups of real consumers whose coordinators, real ones too, assign (KIP-848). */

afterEach(stopAll);

const consumerProtocol = { groupProtocol: "consumer" } as const;
const member = (config: ConsumerConfig = {}) => new Member({ ...consumerProtocol, ...config });

/** The error that a member's consumer crashes with. */
function crashOf({ consumer }: Member): Promise<{ type: string; message: string }> {
  return new Promise((resolve) => {
    consumer.on<{ error: { type: string; message: string } }>(consumer.events.CRASH, ({ payload }) =>
      resolve(payload.error),
    );
  });
}

describe("members share the partitions", () => {
  test("two, then three, then two: everything once, and each a fair part", { timeout: 20_000 }, async () => {
    await start(3);
    const first = await member().run();
    expect(first.partitions).toEqual(range(0, PARTITIONS));
    const second = await member().run();
    await balanced(first, second);
    await produce(0, 60);
    await expect.poll(() => valuesOf(first, second), { timeout: 5000 }).toEqual(range(0, 60));
    const third = await member().run();
    await balanced(first, second, third);
    await produce(60, 60);
    await expect.poll(() => valuesOf(first, second, third), { timeout: 5000 }).toEqual(range(0, 120));
    expect(third.seen.length).toBe(20);
    const leftAt = performance.now();
    await second.consumer.disconnect();
    await balanced(first, third);
    expect(performance.now() - leftAt).toBeLessThan(300);
    await produce(120, 60);
    await expect.poll(() => valuesOf(first, second, third), { timeout: 5000 }).toEqual(range(0, 180));
    await expect.poll(() => committed("g"), { timeout: 5000 }).toEqual(Array(PARTITIONS).fill("30"));
  });

  test("members beyond the number of partitions wait for their turn", { timeout: 20_000 }, async () => {
    await start(1);
    const members: Member[] = [];
    for (let index = 0; index < PARTITIONS + 1; index++) members.push(await member().run());
    await expect.poll(() => members.map(({ partitions }) => partitions.length).sort()).toEqual([0, 1, 1, 1, 1, 1, 1]);
    const [waiting] = members.filter(({ partitions }) => partitions.length === 0);
    await members.find(({ partitions }) => partitions.length === 1)!.consumer.disconnect();
    await expect.poll(() => waiting!.partitions.length).toBe(1);
  });

  test(
    "a member that dies is missed after its session timeout, and nothing is skipped",
    { timeout: 20_000 },
    async () => {
      await start(3);
      const [survivor, victim] = [await member().run(), await member().run()];
      await balanced(survivor, victim);
      await produce(0, 60);
      await expect.poll(() => valuesOf(survivor, victim)).toEqual(range(0, 60));
      const diedAt = performance.now();
      victim.tab.kill();
      await produce(60, 60);
      await expect.poll(() => new Set(valuesOf(survivor, victim)).size, { timeout: 5000, interval: 5 }).toBe(120);
      expect(performance.now() - diedAt).toBeLessThan(SESSION_TIMEOUT_MS + 500);
      await balanced(survivor);
    },
  );

  test("a member that was asleep for longer than its session hands out nothing", { timeout: 20_000 }, async () => {
    await start(1);
    const sleeper = await member().run();
    await produce(0, 6);
    await expect.poll(() => valuesOf(sleeper)).toEqual(range(0, 6));
    const other = await member().run();
    await balanced(sleeper, other);
    await Promise.all([produce(6, 600), sleeper.tab.freeze(SESSION_TIMEOUT_MS * 2)]);
    await expect.poll(() => new Set(valuesOf(sleeper, other)).size, { timeout: 8000 }).toBe(606);
    await balanced(sleeper, other);
    const readAgain = sleeper.seen.filter(
      ({ at, value }) => at > sleeper.tab.wokeAt && other.seen.some((seen) => seen.value === value && seen.at < at),
    );
    expect(readAgain).toEqual([]);
  });

  test("a hidden page, whose timers hardly run, stays a member", { timeout: 20_000 }, async () => {
    await start(1);
    const config = { maxWaitTimeInMs: 300 };
    const [hidden, shown] = [await member(config).run(), await member(config).run()];
    await balanced(hidden, shown);
    const joins = shown.joins.length;
    hidden.tab.hide();
    await pause(SESSION_TIMEOUT_MS * 2.5);
    expect(shown.joins.length).toBe(joins);
    await produce(0, 60);
    await expect.poll(() => valuesOf(hidden, shown)).toEqual(range(0, 60));
  });

  test("a pattern finds topics and partitions that are added", { timeout: 20_000 }, async () => {
    const kafka = await start(3);
    const [first, second] = [member(), member()];
    for (const one of [first, second]) {
      await one.consumer.connect();
      await one.consumer.subscribe({ topics: [/^t/, /^shop-.*/] });
      await one.consumer.run({ eachMessage: ({ message }) => void one.seen.push(seenOf(0, message)) });
    }
    await balanced(first, second);
    await using admin = kafka.admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic: "t", count: 8 }] });
    await admin.createTopics({
      topics: [
        { topic: "shop-1", numPartitions: 2 },
        { topic: "other", numPartitions: 2 },
      ],
    });
    await producer.send({ topic: "t", messages: [{ partition: 7, value: "7" }] });
    await producer.send({ topic: "shop-1", messages: [{ value: "2" }] });
    await producer.send({ topic: "other", messages: [{ value: "3" }] });
    await expect.poll(() => valuesOf(first, second), { timeout: 5000 }).toEqual([2, 7]);
    expect(first.partitions.length + second.partitions.length).toBe(10);
    await admin.deleteTopics({ topics: ["shop-1"] });
    await expect.poll(() => first.partitions.length + second.partitions.length, { timeout: 5000 }).toBe(8);
  });
});

test("members come and go under load, and each message is read once", { timeout: 40_000 }, async () => {
  // Nobody dies, and on a busy machine nobody shall be taken for dead.
  await start(3, PARTITIONS, { groupConsumerSessionTimeoutMs: 6000 });
  await comeAndGoUnderLoad(member);
});

test("whoever keeps a partition never stops reading it", { timeout: 30_000 }, async () => {
  // A member that a busy machine kept from its heartbeats has to ask before it goes on.
  await start(3, PARTITIONS, { groupConsumerSessionTimeoutMs: 6000, groupConsumerHeartbeatIntervalMs: 300 });
  const members = [await member().run(), await member().run()];
  await balanced(...members);
  let count = 0;
  const acknowledged: number[] = [];
  const timer = setInterval(() => {
    void produce(count, 12).then(() => acknowledged.push(performance.now()));
    count += 12;
  }, 10);
  await pause(300);
  const kept = members.map(({ partitions }) => partitions);
  const from = performance.now();
  members.push(await member().run());
  await balanced(...members);
  await pause(300);
  const until = performance.now();
  clearInterval(timer);
  expect(members[2]!.partitions.length).toBe(2);
  for (const [index, { partitions, seen }] of members.slice(0, 2).entries()) {
    const stayed = partitions.filter((partition) => kept[index]!.includes(partition));
    expect(stayed.length).toBe(2);
    for (const partition of stayed) {
      const times = seen.filter((one) => one.partition === partition).map(({ at }) => at);
      // The process that also produces and stores may itself stand still for a moment on a busy machine.
      expect(longestGap(times, from, until) - longestGap(acknowledged, from, until)).toBeLessThan(100);
    }
  }
  await expect.poll(() => valuesOf(...members), { timeout: 5000 }).toEqual(range(0, count));
});

test("a partition is finished and committed before another member reads it", { timeout: 20_000 }, async () => {
  await start(1);
  await produce(0, PARTITIONS);
  const busy: number[] = [];
  const slow = member();
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await slow.run({
    partitionsConsumedConcurrently: PARTITIONS,
    eachMessage: async ({ partition, message }) => {
      busy.push(partition);
      await released;
      slow.seen.push(seenOf(partition, message));
    },
  });
  await expect.poll(() => busy.length).toBe(PARTITIONS);
  const other = member();
  const joining = other.run();
  await pause(500);
  expect(slow.partitions.length).toBe(PARTITIONS);
  expect(other.partitions).toEqual([]);
  release();
  await joining;
  await balanced(slow, other);
  await produce(PARTITIONS, PARTITIONS);
  await expect.poll(() => valuesOf(slow, other)).toEqual(range(0, 2 * PARTITIONS));
});

test("fifty members over a hundred partitions settle", { timeout: 60_000 }, async () => {
  await start(3, 100, { groupConsumerSessionTimeoutMs: 6000, groupConsumerHeartbeatIntervalMs: 300 });
  const members = Array.from({ length: 50 }, () => member());
  const startedAt = performance.now();
  await Promise.all(members.map((one) => one.run()));
  await expect
    .poll(() => members.map(({ partitions }) => partitions.length), { timeout: 30_000, interval: 20 })
    .toEqual(Array(50).fill(2));
  expect(performance.now() - startedAt).toBeLessThan(5000);
  expect(new Set(members.flatMap(({ partitions }) => partitions)).size).toBe(100);
});

test("stop leaves the group, and run comes back to it", { timeout: 20_000 }, async () => {
  await start(1);
  const [first, second] = [await member().run(), await member().run()];
  await balanced(first, second);
  await first.consumer.stop();
  await balanced(second);
  await produce(0, 60);
  await expect.poll(() => valuesOf(second)).toEqual(range(0, 60));
  await first.consumer.run({ eachMessage: ({ message }) => void first.seen.push(seenOf(0, message)) });
  await balanced(first, second);
  await produce(60, 60);
  await expect.poll(() => valuesOf(first, second)).toEqual(range(0, 120));
});

describe("static members", () => {
  test("one that comes back has what it had, and nobody else notices", { timeout: 20_000 }, async () => {
    await start(3);
    const stays = await member({ groupInstanceId: "a" }).run();
    const before = await member({ groupInstanceId: "b" }).run();
    await balanced(stays, before);
    const had = before.partitions;
    const joins = stays.joins.length;
    await before.consumer.disconnect();
    const after = await member({ groupInstanceId: "b" }).run();
    expect(after.partitions).toEqual(had);
    expect(stays.joins.length).toBe(joins);
    await produce(0, 60);
    await expect.poll(() => valuesOf(stays, after)).toEqual(range(0, 60));
  });

  test("a name that is held is refused, with what to do about it", { timeout: 20_000 }, async () => {
    await start(1);
    await member({ groupInstanceId: "a" }).run();
    const later = member({ groupInstanceId: "a" });
    const crash = crashOf(later);
    await later.run();
    expect(await crash).toMatchObject({
      type: "UNRELEASED_INSTANCE_ID",
      message: expect.stringMatching(/groupInstanceId a; disconnect it/),
    });
  });
});

describe("what is refused", () => {
  test.each([
    [{ partitionAssigners: [PartitionAssigners.range] }, /partitionAssigners is for groupProtocol "classic"/],
    [{ sessionTimeout: 10_000 }, /sessionTimeout is for groupProtocol "classic"/],
    [{ heartbeatInterval: 100 }, /heartbeatInterval is for groupProtocol "classic"/],
    [{ groupProtocol: "classic", groupRemoteAssignor: "range" }, /groupRemoteAssignor is for groupProtocol "consumer"/],
    [{ groupProtocol: "modern" as "consumer" }, /groupProtocol is "modern"; there are "classic" and "consumer"/],
  ] as const)("settings that do not go together: %o", async (config, message) => {
    await start(1);
    await expect(member(config).consumer.connect()).rejects.toThrow(message);
  });

  test.each([
    ["an assignor that there is not", "UNSUPPORTED_ASSIGNOR", /groupRemoteAssignor is "uniform" or "range"/],
    ["a member too many", "GROUP_MAX_SIZE_REACHED", /disconnect another consumer first/],
  ] as const)("%s", { timeout: 20_000 }, async (_, type, message) => {
    await start(1, PARTITIONS, { groupMaxSize: 1 });
    if (type === "GROUP_MAX_SIZE_REACHED") await member().run();
    const remoteAssignor = (type === "UNSUPPORTED_ASSIGNOR" ? "sticky" : "range") as "range";
    const refused = member({ groupRemoteAssignor: remoteAssignor });
    const crash = crashOf(refused);
    await refused.run();
    expect(await crash).toMatchObject({ type, message: expect.stringMatching(message) });
  });

  test.each(["classic", "consumer"] as const)("a group that is too large (%s)", async (groupProtocol) => {
    await start(1, PARTITIONS, { maxGroupBytes: 100 });
    const refused = new Member({ groupProtocol });
    const crash = crashOf(refused);
    await refused.run();
    expect(await crash).toMatchObject({
      type: "INVALID_REQUEST",
      message: expect.stringMatching(/of group g does not take.*have fewer members, or fewer topics each/),
    });
  });

  test("members of the two protocols in one group", { timeout: 20_000 }, async () => {
    await start(1);
    const classic = await new Member().run();
    const refused = member();
    const crash = crashOf(refused);
    await refused.run();
    expect(await crash).toMatchObject({
      type: "GROUP_ID_NOT_FOUND",
      message: expect.stringMatching(/classic protocol/),
    });
    await classic.consumer.disconnect();
    await member().run();
    const other = new Member();
    const otherCrash = crashOf(other);
    await other.run();
    expect(await otherCrash).toMatchObject({
      type: "INCONSISTENT_GROUP_PROTOCOL",
      message: expect.stringMatching(/or of the protocol "consumer"/),
    });
  });
});

describe("the coordinator's tab dies", () => {
  test("during a rebalance", { timeout: 30_000 }, async () => {
    const kafka = await start(4);
    const [first, second] = [await member().run(), await member().run()];
    await balanced(first, second);
    await produce(0, 60);
    await expect.poll(() => valuesOf(first, second)).toEqual(range(0, 60));
    const third = member();
    const joining = third.run();
    await pause(20);
    kill(await coordinatorOf(kafka));
    await joining;
    await balanced(first, second, third);
    await produce(60, 60);
    await expect.poll(() => new Set(valuesOf(first, second, third)).size, { timeout: 10_000 }).toBe(120);
  });

  test("while members commit: nobody is disturbed", { timeout: 30_000 }, async () => {
    const kafka = await start(4);
    const members = [await member().run(), await member().run()];
    await balanced(...members);
    const joins = members.map((one) => one.joins.length);
    const coordinator = await coordinatorOf(kafka);
    for (let round = 0; round < 60; round++) {
      await produce(round * 12, 12);
      if (round === 30) kill(coordinator);
      await pause(5);
    }
    await expect.poll(() => valuesOf(...members), { timeout: 10_000 }).toEqual(range(0, 720));
    await expect.poll(() => committed("g"), { timeout: 10_000 }).toEqual(Array(6).fill("120"));
    expect(members.map((one) => one.joins.length)).toEqual(joins);
  });

  test("a consumer closes quickly though nobody coordinates its group", { timeout: 20_000 }, async () => {
    await start(1);
    const members = [await member().run(), await new Member({ groupId: "classic" }).run()];
    await produce(0, 6);
    await expect.poll(() => valuesOf(...members).length).toBe(12);
    for (const broker of cluster.brokers) broker.kill();
    const startedAt = performance.now();
    await Promise.all(members.map(({ consumer }) => consumer.disconnect()));
    expect(performance.now() - startedAt).toBeLessThan(4000);
  });
});

test("events and admin show the group", { timeout: 20_000 }, async () => {
  const kafka = await start(1);
  const first = member({ groupRemoteAssignor: "range" });
  const names: string[] = [];
  const { HEARTBEAT, GROUP_JOIN, REBALANCING, COMMIT_OFFSETS } = first.consumer.events;
  for (const name of [HEARTBEAT, GROUP_JOIN, REBALANCING, COMMIT_OFFSETS]) {
    first.consumer.on(name, () => void names.push(name));
  }
  await first.run();
  await produce(0, 12);
  await expect.poll(() => valuesOf(first)).toEqual(range(0, 12));
  const second = await member({ groupRemoteAssignor: "range" }).run();
  await balanced(first, second);
  expect(first.partitions).toEqual(expect.arrayContaining([first.partitions[0]!, first.partitions[0]! + 1]));
  for (const name of [HEARTBEAT, GROUP_JOIN, REBALANCING, COMMIT_OFFSETS]) expect(names).toContain(name);

  await using admin = kafka.admin();
  await admin.connect();
  expect((await admin.listGroups()).groups).toEqual([
    { groupId: "g", protocolType: "consumer", groupState: "Stable", groupType: "consumer" },
  ]);
  const { groups } = await admin.describeGroups(["g"]);
  const [group] = groups;
  expect(group).toMatchObject({ groupId: "g", state: "Stable", protocol: "range", protocolType: "consumer" });
  const assignments = group!.members.map(
    ({ memberAssignment }) => AssignerProtocol.MemberAssignment.decode(memberAssignment)!.assignment["t"]!,
  );
  expect(assignments.flat().sort()).toEqual(range(0, PARTITIONS));
  expect(AssignerProtocol.MemberMetadata.decode(group!.members[0]!.memberMetadata)).toMatchObject({ topics: ["t"] });
  expect(await first.consumer.describeGroup()).toMatchObject({ state: "Stable", protocol: "range" });
});
