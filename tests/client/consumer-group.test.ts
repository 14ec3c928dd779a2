import { afterEach, describe, expect, test } from "vitest";
import { AssignerProtocol } from "../../src/client/assigners/assigner-protocol.ts";
import type { PartitionAssigner } from "../../src/client/assigners/assigner.ts";
import { PartitionAssigners } from "../../src/client/assigners/partition-assigners.ts";
import type { ConsumerRunConfig } from "../../src/client/consumer-types.ts";
import type { OffsetsByTopicPartition } from "../../src/client/group/committed-offsets.ts";
import {
  balanced,
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
  ten,
  valuesOf,
} from "./group-members.ts";
import { pause } from "./live-cluster.ts";

/** Groups of real consumers, coordinated by real brokers. */

afterEach(stopAll);

describe("members share the partitions", () => {
  test("two members, then three: everything once, and each a fair part", { timeout: 20_000 }, async () => {
    await start(3);
    const first = await new Member().run();
    expect(first.partitions).toEqual(range(0, PARTITIONS));
    const second = await new Member().run();
    await balanced(first, second);
    await produce(0, 60);
    await expect.poll(() => valuesOf(first, second), { timeout: 5000 }).toEqual(range(0, 60));
    const third = await new Member().run();
    await balanced(first, second, third);
    await produce(60, 60);
    await expect.poll(() => valuesOf(first, second, third), { timeout: 5000 }).toEqual(range(0, 120));
    expect(third.seen.length).toBe(20);
  });

  test("members beyond the number of partitions wait for their turn", { timeout: 20_000 }, async () => {
    await start(1);
    const members: Member[] = [];
    for (let index = 0; index < PARTITIONS + 1; index++) members.push(await new Member().run());
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
      const [survivor, victim] = [await new Member().run(), await new Member().run()];
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

  test("a member that closes is followed within 300 ms, and each message read once", { timeout: 20_000 }, async () => {
    await start(3);
    const [stays, leaves] = [await new Member().run(), await new Member().run()];
    await balanced(stays, leaves);
    await produce(0, 60);
    await expect.poll(() => valuesOf(stays, leaves)).toEqual(range(0, 60));
    const leftAt = performance.now();
    await leaves.consumer.disconnect();
    await expect.poll(() => stays.partitions.length, { interval: 5 }).toBe(PARTITIONS);
    expect(performance.now() - leftAt).toBeLessThan(300);
    await produce(60, 60);
    await expect.poll(() => valuesOf(stays, leaves), { timeout: 5000 }).toEqual(range(0, 120));
  });

  test("partitions and topics that are added are shared too", { timeout: 20_000 }, async () => {
    const kafka = await start(3);
    const [first, second] = [new Member(), new Member()];
    for (const member of [first, second]) {
      await member.consumer.connect();
      await member.consumer.subscribe({ topics: [/^t/] });
      await member.consumer.run({ eachMessage: ({ message }) => void member.seen.push(seenOf(0, message)) });
    }
    await balanced(first, second);
    await using admin = kafka.admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic: "t", count: 8 }] });
    await admin.createTopics({ topics: [{ topic: "t2", numPartitions: 2 }] });
    await producer.send({ topic: "t", messages: [{ partition: 7, value: "7" }] });
    await producer.send({ topic: "t2", messages: [{ value: "2" }] });
    await expect.poll(() => valuesOf(first, second), { timeout: 5000 }).toEqual([2, 7]);
    expect(first.partitions.length + second.partitions.length).toBe(10);
  });

  test("a member that was asleep for longer than its session hands out nothing", { timeout: 20_000 }, async () => {
    await start(1);
    const member = await new Member().run();
    await produce(0, 6);
    await expect.poll(() => valuesOf(member)).toEqual(range(0, 6));
    const other = await new Member().run();
    await balanced(member, other);
    await Promise.all([produce(6, 600), member.tab.freeze(SESSION_TIMEOUT_MS * 2)]);
    await expect.poll(() => new Set(valuesOf(member, other)).size, { timeout: 8000 }).toBe(606);
    await balanced(member, other);
    const readAgain = member.seen.filter(
      ({ at, value }) => at > member.tab.wokeAt && other.seen.some((seen) => seen.value === value && seen.at < at),
    );
    expect(readAgain).toEqual([]);
  });
});

test.each(["roundRobin", "cooperativeSticky"] as const)(
  "members come and go under load, and each message is read once (%s)",
  { timeout: 40_000 },
  async (name) => {
    await start(3);
    // Nobody dies, and on a busy machine nobody shall be taken for dead.
    const config = { partitionAssigners: [PartitionAssigners[name]], sessionTimeout: 6000 };
    await comeAndGoUnderLoad(() => new Member(config));
  },
);

test("fifty members over a hundred partitions settle", { timeout: 60_000 }, async () => {
  await start(3, 100);
  const members = Array.from({ length: 50 }, () => new Member({ heartbeatInterval: 300, sessionTimeout: 6000 }));
  const startedAt = performance.now();
  await Promise.all(members.map((member) => member.run()));
  await expect
    .poll(() => members.map(({ partitions }) => partitions.length), { timeout: 30_000, interval: 20 })
    .toEqual(Array(50).fill(2));
  expect(performance.now() - startedAt).toBeLessThan(5000);
  expect(new Set(members.flatMap(({ partitions }) => partitions)).size).toBe(100);
});

test("a hidden page, whose timers hardly run, stays a member", { timeout: 20_000 }, async () => {
  await start(1);
  const config = { maxWaitTimeInMs: 300 };
  const [hidden, shown] = [await new Member(config).run(), await new Member(config).run()];
  await balanced(hidden, shown);
  const joins = shown.joins.length;
  hidden.tab.hide();
  await pause(SESSION_TIMEOUT_MS * 2.5);
  expect(shown.joins.length).toBe(joins);
  await produce(0, 60);
  await expect.poll(() => valuesOf(hidden, shown)).toEqual(range(0, 60));
});

test("stop leaves the group, and run comes back to it", { timeout: 20_000 }, async () => {
  await start(1);
  const [first, second] = [await new Member().run(), await new Member().run()];
  await balanced(first, second);
  await produce(0, 60);
  await expect.poll(() => valuesOf(first, second)).toEqual(range(0, 60));
  await first.consumer.stop();
  await balanced(second);
  await produce(60, 60);
  await expect.poll(() => valuesOf(first, second)).toEqual(range(0, 120));
  await first.consumer.run({ eachMessage: ({ message }) => void first.seen.push(seenOf(0, message)) });
  await balanced(first, second);
  await produce(120, 60);
  await expect.poll(() => valuesOf(first, second)).toEqual(range(0, 180));
});

test("pauses end with stop, as others may have read on by the next run", { timeout: 20_000 }, async () => {
  await start(1);
  await produce(0, 12);
  const member = await new Member().run();
  await expect.poll(() => valuesOf(member)).toEqual(range(0, 12));
  await expect.poll(() => committed("g")).toEqual(Array(6).fill("2"));
  member.consumer.pause([{ topic: "t" }]);
  await member.consumer.stop();
  member.seen.length = 0;
  await member.run();
  await balanced(member);
  expect(member.consumer.paused()).toEqual([]);
  await produce(12, 6);
  await expect.poll(() => valuesOf(member)).toEqual(range(12, 6));
});

test("a run that follows a stop at once joins when the member has left", { timeout: 20_000 }, async () => {
  await start(1);
  await produce(0, 12);
  const member = new Member();
  let letGo!: () => void;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  await member.run({ eachMessage: () => held });
  const stopped = member.consumer.stop();
  const run = member.consumer.run({
    eachMessage: ({ message, partition }) => void member.seen.push(seenOf(partition, message)),
  });
  letGo();
  await Promise.all([stopped, run]);
  await balanced(member);
  await produce(12, 60);
  await expect.poll(() => new Set(valuesOf(member)).size).toBeGreaterThanOrEqual(60);
});

test.each([0, 1, 2, 3, 4, 5])("a run %i turns behind a crash is a member", { timeout: 20_000 }, async (turns) => {
  await start(1);
  await produce(0, 12);
  const member = new Member({ retry: { initialRetryTime: 1, maxRetryTime: 1, restartOnFailure: async () => false } });
  const crashed = new Promise((resolve) => member.consumer.on(member.consumer.events.CRASH, resolve));
  await member.run({
    eachMessage: () => {
      throw new Error("a bug");
    },
  });
  await crashed;
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
  const eachMessage: ConsumerRunConfig["eachMessage"] = ({ message, partition }) =>
    void member.seen.push(seenOf(partition, message));
  await member.consumer.run({ eachMessage });
  await expect.poll(() => valuesOf(member), { timeout: 3000 }).toEqual(range(0, 12));
});

test("a callback that fails is called again, and the message is not skipped", { timeout: 20_000 }, async () => {
  await start(1);
  await produce(0, 12);
  const member = new Member();
  let failures = 0;
  await member.run({
    eachMessage: ({ message, partition }) => {
      if (message.offset === "1" && partition === 2 && failures++ < 3) throw new Error("a bug");
      member.seen.push(seenOf(partition, message));
    },
  });
  await expect.poll(() => valuesOf(member), { timeout: 5000 }).toEqual(range(0, 12));
  expect(failures).toBe(4);
  await expect.poll(() => committed("g")).toEqual(Array(6).fill("2"));
});

describe("static members", () => {
  test("a static member that comes back has what it had, and nobody else notices", { timeout: 20_000 }, async () => {
    await start(3);
    const stays = await new Member({ groupInstanceId: "a" }).run();
    const before = await new Member({ groupInstanceId: "b" }).run();
    await balanced(stays, before);
    const had = before.partitions;
    const joins = stays.joins.length;
    await before.consumer.disconnect();
    const after = await new Member({ groupInstanceId: "b" }).run();
    expect(after.partitions).toEqual(had);
    expect(stays.joins.length).toBe(joins);
    await produce(0, 60);
    await expect.poll(() => valuesOf(stays, after)).toEqual(range(0, 60));
  });

  test("of two with one name the earlier one crashes", { timeout: 20_000 }, async () => {
    await start(1);
    const earlier = await new Member({ groupInstanceId: "a" }).run();
    const crashes: { error: { type: string }; restart: boolean }[] = [];
    const { CRASH } = earlier.consumer.events;
    earlier.consumer.on<(typeof crashes)[number]>(CRASH, ({ payload }) => void crashes.push(payload));
    const later = await new Member({ groupInstanceId: "a" }).run();
    await expect.poll(() => crashes.length).toBe(1);
    expect(crashes[0]).toMatchObject({ error: { type: "FENCED_INSTANCE_ID" }, restart: false });
    expect(earlier.partitions).toEqual([]);
    await produce(0, 6);
    await expect.poll(() => valuesOf(later)).toEqual(range(0, 6));
  });
});

describe("assignors", () => {
  const partitionAssigners = [PartitionAssigners.cooperativeSticky];

  test("cooperative-sticky: whoever keeps a partition never stops reading it", { timeout: 30_000 }, async () => {
    await start(3);
    const members = [await new Member({ partitionAssigners }).run(), await new Member({ partitionAssigners }).run()];
    await balanced(...members);
    let count = 0;
    const ticks: number[] = [];
    const timer = setInterval(() => {
      ticks.push(performance.now());
      const missing = Array.from({ length: 12 }, () => String(count++));
      void producer.send({
        topic: "t",
        messages: missing.map((value) => ({ partition: Number(value) % PARTITIONS, value })),
      });
    }, 10);
    await pause(300);
    const kept = members.map(({ partitions }) => partitions);
    const from = performance.now();
    members.push(await new Member({ partitionAssigners }).run());
    await balanced(...members);
    await pause(300);
    const until = performance.now();
    clearInterval(timer);
    expect(members[2]!.partitions.length).toBe(2);
    for (const [index, member] of members.slice(0, 2).entries()) {
      const stayed = member.partitions.filter((partition) => kept[index]!.includes(partition));
      expect(stayed.length).toBe(2);
      for (const partition of stayed) {
        const times = member.seen.filter((seen) => seen.partition === partition).map(({ at }) => at);
        // The process that also produces and stores may itself stand still for a moment on a busy machine.
        expect(longestGap(times, from, until) - longestGap(ticks, from, until)).toBeLessThan(100);
      }
    }
    await expect.poll(() => valuesOf(...members), { timeout: 5000 }).toEqual(range(0, count));
  });

  test.each(["range", "sticky", "cooperativeSticky"] as const)(
    "%s in a real group",
    { timeout: 20_000 },
    async (name) => {
      await start(1);
      const config = { partitionAssigners: [PartitionAssigners[name]] };
      const [first, second] = [await new Member(config).run(), await new Member(config).run()];
      await balanced(first, second);
      await produce(0, 30);
      await expect.poll(() => valuesOf(first, second)).toEqual(range(0, 30));
      const third = await new Member(config).run();
      await balanced(first, second, third);
      await second.consumer.disconnect();
      await balanced(first, third);
      await produce(30, 30);
      await expect.poll(() => valuesOf(first, second, third)).toEqual(range(0, 60));
    },
  );

  test(
    "cooperativeSticky beside an eager one: no partition is kept for a member that gave it up",
    { timeout: 20_000 },
    async () => {
      await start(1);
      const config = { partitionAssigners: [PartitionAssigners.cooperativeSticky, PartitionAssigners.roundRobin] };
      const first = await new Member(config).run();
      await balanced(first);
      const second = await new Member(config).run();
      await balanced(first, second);
    },
  );

  test("one of the application's own, by KafkaJS's interface", { timeout: 20_000 }, async () => {
    await start(1);
    const everythingToOne: PartitionAssigner = ({ cluster: known, groupId }) => ({
      name: `all-to-one-of-${groupId}`,
      version: 1,
      async assign({ members, topics }) {
        const [chosen] = members.map(({ memberId }) => memberId).sort();
        return members.map(({ memberId }) => {
          const assignment = Object.fromEntries(
            topics.map((topic) => [
              topic,
              memberId === chosen ? known.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId) : [],
            ]),
          );
          return { memberId, memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 1, assignment }) };
        });
      },
      protocol: ({ topics }) => ({
        name: `all-to-one-of-${groupId}`,
        metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics }),
      }),
    });
    const config = { partitionAssigners: [everythingToOne] };
    const [first, second] = [await new Member(config).run(), await new Member(config).run()];
    await expect.poll(() => [first, second].map(({ partitions }) => partitions.length).sort()).toEqual([0, PARTITIONS]);
    await expect.poll(async () => (await first.consumer.describeGroup()).protocol).toBe("all-to-one-of-g");
  });

  test("members that have no assignor in common do not come together", { timeout: 20_000 }, async () => {
    await start(1);
    await new Member({ partitionAssigners: [PartitionAssigners.range] }).run();
    const other = new Member({ partitionAssigners: [PartitionAssigners.sticky] });
    const crashed = new Promise<{ type: string }>((resolve) => {
      const { CRASH } = other.consumer.events;
      other.consumer.on<{ error: { type: string } }>(CRASH, ({ payload }) => resolve(payload.error));
    });
    await other.run();
    expect((await crashed).type).toBe("INCONSISTENT_GROUP_PROTOCOL");
  });
});

describe("committed offsets", () => {
  test("a group goes on where it was; another begins anew, or at the end", { timeout: 20_000 }, async () => {
    await start(3);
    await produce(0, 60);
    const first = await new Member().run();
    await expect.poll(() => valuesOf(first)).toEqual(range(0, 60));
    await first.consumer.disconnect();
    await produce(60, 60);
    const second = await new Member().run();
    await expect.poll(() => valuesOf(second)).toEqual(range(60, 60));
    const other = await new Member({ groupId: "other" }).run();
    await expect.poll(() => valuesOf(other)).toEqual(range(0, 120));
  });

  test(
    "from the end: what comes after the first assignment is read, whoever reads it",
    { timeout: 20_000 },
    async () => {
      await start(1);
      await produce(0, 6);
      const first = new Member();
      await first.consumer.connect();
      await first.consumer.subscribe({ topics: ["t"] });
      await first.consumer.run({ eachMessage: () => {} });
      await expect.poll(async () => committed("g")).toEqual(["1", "1", "1", "1", "1", "1"]);
      first.tab.kill();
      await produce(6, 6);
      const second = new Member();
      await second.consumer.connect();
      await second.consumer.subscribe({ topics: ["t"] });
      await second.consumer.run({ eachMessage: ({ message }) => void second.seen.push(seenOf(0, message)) });
      await expect.poll(() => valuesOf(second), { timeout: 5000 }).toEqual(range(6, 6));
    },
  );

  test("autoCommit: false leaves it to commitOffsets", { timeout: 20_000 }, async () => {
    await start(1);
    await produce(0, 12);
    const member = await new Member().run({ autoCommit: false, eachMessage: () => {} });
    await expect.poll(() => member.consumer.positions().map(({ offset }) => offset)).toEqual(Array(6).fill("2"));
    expect(await committed("g")).toEqual(Array(6).fill("-1"));
    await member.consumer.commitOffsets([{ topic: "t", partition: 3, offset: "1", metadata: "m" }]);
    expect(await committed("g")).toEqual(["-1", "-1", "-1", "1", "-1", "-1"]);
    await member.consumer.commitOffsets();
    expect(await committed("g")).toEqual(Array(6).fill("2"));
    const nonsense = [{ topic: "t", partition: 0, offset: "x" }];
    await expect(member.consumer.commitOffsets(nonsense)).rejects.toThrow(/Invalid offset/);
    // Nobody waits for these, but for the last one to leave.
    const commits = range(0, 10).map((at) =>
      member.consumer.commitOffsets([{ topic: "t", partition: 0, offset: String(at) }]),
    );
    await member.consumer.disconnect();
    await Promise.all(commits);
    expect((await committed("g"))[0]).toBe("9");
  });

  test("autoCommitThreshold and autoCommitInterval say when", { timeout: 20_000 }, async () => {
    await start(1);
    const commits: number[] = [];
    const member = new Member();
    member.consumer.on(member.consumer.events.COMMIT_OFFSETS, () => void commits.push(member.seen.length));
    await producer.send({ topic: "t", messages: Array.from({ length: 25 }, () => ({ partition: 0, value: "1" })) });
    await member.run({
      autoCommitThreshold: 10,
      eachMessage: async ({ message }) => {
        await pause(2);
        member.seen.push(seenOf(0, message));
      },
    });
    await expect.poll(() => member.seen.length).toBe(25);
    await pause(50);
    expect(commits.length).toBe(2);
    expect((await committed("g"))[0]).toBe("20");
    await member.consumer.disconnect();
    expect((await committed("g"))[0]).toBe("25");
    const second = await new Member().run({ autoCommitInterval: 100, eachMessage: () => {} });
    await producer.send({ topic: "t", messages: [{ partition: 0, value: "1" }] });
    await expect.poll(() => committed("g").then(([first]) => first)).toBe("26");
    await second.consumer.disconnect();
  });

  test("autoCommitThreshold counts the messages of batches, as they are resolved", { timeout: 20_000 }, async () => {
    await start(1);
    await producer.send({ topic: "t", messages: ten() });
    const whole = await new Member().run({ autoCommitThreshold: 10, eachBatch: async () => {} });
    await expect.poll(() => committed("g").then(([first]) => first)).toBe("10");
    await whole.consumer.disconnect();
    await producer.send({ topic: "t", messages: ten() });
    const seen: string[] = [];
    const byHand = new Member();
    await byHand.run({
      autoCommit: false,
      autoCommitThreshold: 10,
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset, commitOffsetsIfNecessary }) => {
        if (batch.partition !== 0) return;
        const none = { topics: [{ topic: "t", partitions: [{ partition: 0, offset: "x" }] }] };
        await expect(commitOffsetsIfNecessary(none)).rejects.toThrow("Invalid offset x for partition 0 of topic t");
        for (const offset of ["14", "19"]) {
          resolveOffset(offset);
          await commitOffsetsIfNecessary();
          seen.push((await committed("g"))[0]!);
        }
      },
    });
    await expect.poll(() => seen).toEqual(["10", "20"]);
  });

  test("eachBatch: only what was resolved counts once the batch is stale", { timeout: 20_000 }, async () => {
    await start(1);
    await producer.send({ topic: "t", messages: ten() });
    const uncommitted: OffsetsByTopicPartition["topics"][] = [];
    const processed: number[] = [];
    let stale = false;
    const config: ConsumerRunConfig = {
      autoCommitThreshold: 4,
      eachBatch: async ({ batch, resolveOffset, isStale, uncommittedOffsets, commitOffsetsIfNecessary, heartbeat }) => {
        for (const { offset } of batch.messages) {
          if (isStale()) return void (stale = true);
          processed.push(Number(offset));
          resolveOffset(offset);
          uncommitted.push(uncommittedOffsets().topics);
          await heartbeat();
          await commitOffsetsIfNecessary();
          if (Number(offset) === 4) await pause(400);
        }
      },
    };
    const member = await new Member().run(config);
    await expect.poll(() => processed.length).toBe(5);
    expect(uncommitted[2]![0]!.partitions).toContainEqual({ partition: 0, offset: "3" });
    const second = await new Member().run(config);
    await balanced(member, second);
    expect(stale).toBe(true);
    await expect.poll(() => processed).toEqual(range(0, 10));
  });

  test("seek and pause hold over a rebalance", { timeout: 20_000 }, async () => {
    await start(1);
    await produce(0, 60);
    const member = await new Member().run();
    await expect.poll(() => valuesOf(member)).toEqual(range(0, 60));
    member.consumer.pause([{ topic: "t", partitions: [1] }]);
    const other = await new Member().run();
    await balanced(member, other);
    await other.consumer.disconnect();
    await balanced(member);
    expect(member.consumer.paused()).toEqual([{ topic: "t", partitions: [1] }]);
    member.seen.length = 0;
    member.consumer.seek({ topic: "t", partition: 2, offset: "9" });
    await produce(60, 6);
    await expect.poll(() => valuesOf(member)).toEqual([56, 60, 62, 63, 64, 65]);
    member.consumer.resume([{ topic: "t", partitions: [1] }]);
    await expect.poll(() => valuesOf(member)).toEqual([56, 60, 61, 62, 63, 64, 65]);
  });

  test("a seek in what another member had is forgotten with stop", { timeout: 20_000 }, async () => {
    await start(1);
    const [member, other] = [await new Member().run(), await new Member().run()];
    await balanced(member, other);
    await produce(0, 60);
    await expect.poll(() => valuesOf(member, other)).toEqual(range(0, 60));
    member.consumer.seek({ topic: "t", partition: other.partitions[0]!, offset: "0" });
    await member.consumer.stop();
    await other.consumer.disconnect();
    member.seen.length = 0;
    await member.run();
    await balanced(member);
    await produce(60, 12);
    await expect.poll(() => valuesOf(member).filter((value) => value >= 60)).toEqual(range(60, 12));
    expect(valuesOf(member)).toEqual(range(60, 12));
  });

  test(
    "for await: what was asked for after is committed, and a broken loop repeats its message",
    { timeout: 20_000 },
    async () => {
      await start(1);
      await producer.send({ topic: "t", messages: ten() });
      const read = async (stopAt: number): Promise<number[]> => {
        const { consumer } = new Member();
        await consumer.connect();
        await consumer.subscribe({ topics: ["t"], fromBeginning: true });
        const values: number[] = [];
        for await (const { value } of consumer) {
          values.push(Number(value!.toString()));
          if (values.length === stopAt) break;
        }
        await consumer.disconnect();
        return values;
      };
      expect(await read(4)).toEqual([0, 1, 2, 3]);
      expect(await read(7)).toEqual([3, 4, 5, 6, 7, 8, 9]);
      expect((await committed("g"))[0]).toBe("9");
    },
  );

  test("partitions are processed side by side, each in order", { timeout: 20_000 }, async () => {
    await start(1);
    await produce(0, 60);
    let active = 0;
    let most = 0;
    const member = new Member();
    await member.run({
      partitionsConsumedConcurrently: 3,
      eachMessage: async ({ message, partition }) => {
        most = Math.max(most, ++active);
        await pause(1);
        active--;
        member.seen.push(seenOf(partition, message));
      },
    });
    await expect.poll(() => valuesOf(member)).toEqual(range(0, 60));
    expect(most).toBe(3);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const values = member.seen.filter((seen) => seen.partition === partition).map(({ value }) => value);
      expect(values).toEqual([...values].sort((left, right) => left - right));
    }
  });
});

describe("the coordinator's tab dies", () => {
  test.each(["roundRobin", "cooperativeSticky"] as const)(
    "during a rebalance (%s)",
    { timeout: 30_000 },
    async (name) => {
      const kafka = await start(4);
      const config = { partitionAssigners: [PartitionAssigners[name]], sessionTimeout: 6000 };
      const [first, second] = [await new Member(config).run(), await new Member(config).run()];
      await balanced(first, second);
      await produce(0, 60);
      await expect.poll(() => valuesOf(first, second)).toEqual(range(0, 60));
      const coordinator = await coordinatorOf(kafka);
      const third = new Member(config);
      const joining = third.run();
      await pause(20);
      kill(coordinator);
      await joining;
      await balanced(first, second, third);
      await produce(60, 60);
      await expect.poll(() => new Set(valuesOf(first, second, third)).size, { timeout: 10_000 }).toBe(120);
    },
  );

  test.each(["roundRobin", "cooperativeSticky"] as const)(
    "just after a member's, under load: nothing is skipped (%s)",
    { timeout: 40_000 },
    async (name) => {
      const kafka = await start(4);
      const config = { partitionAssigners: [PartitionAssigners[name]] };
      const members = [await new Member(config).run(), await new Member(config).run(), await new Member(config).run()];
      await balanced(...members);
      const coordinator = await coordinatorOf(kafka);
      const sent: Promise<void>[] = [];
      for (let round = 0; round < 100; round++) {
        sent.push(produce(round * 6, 6));
        if (round === 20) members[0]!.tab.kill();
        if (round === 30) kill(coordinator);
        if (round === 40) members.push(await new Member(config).run());
        await pause(10);
      }
      await Promise.all(sent);
      await expect.poll(() => new Set(valuesOf(...members)).size, { timeout: 15_000 }).toBe(600);
      await balanced(...members.slice(1));
    },
  );

  test("while members commit: no commit is lost, none goes back", { timeout: 30_000 }, async () => {
    const kafka = await start(4);
    const config = { sessionTimeout: 6000 };
    const members = [await new Member(config).run(), await new Member(config).run()];
    await balanced(...members);
    const acknowledged = new Map<number, number>();
    for (const { consumer } of members) {
      consumer.on<{ topics: { partitions: { partition: number; offset: string }[] }[] }>(
        consumer.events.COMMIT_OFFSETS,
        ({ payload }) => {
          for (const { partition, offset } of payload.topics[0]!.partitions) {
            expect(Number(offset)).toBeGreaterThanOrEqual(acknowledged.get(partition) ?? 0);
            acknowledged.set(partition, Number(offset));
          }
        },
      );
    }
    const joins = members.map((member) => member.joins.length);
    const coordinator = await coordinatorOf(kafka);
    for (let round = 0; round < 60; round++) {
      await produce(round * 12, 12);
      if (round === 30) kill(coordinator);
      await pause(5);
    }
    await expect.poll(() => valuesOf(...members), { timeout: 10_000 }).toEqual(range(0, 720));
    await expect.poll(() => [...acknowledged.values()], { timeout: 10_000 }).toEqual(Array(6).fill(120));
    expect(await committed("g")).toEqual(Array(6).fill("120"));
    // The next coordinator knew the group: nobody had to join again.
    expect(members.map((member) => member.joins.length)).toEqual(joins);
  });
});

test("events tell of the group, and admin sees and moves it", { timeout: 20_000 }, async () => {
  const kafka = await start(3);
  const member = new Member();
  const events: [string, Record<string, unknown>][] = [];
  const { HEARTBEAT, GROUP_JOIN, REBALANCING, COMMIT_OFFSETS } = member.consumer.events;
  for (const name of [HEARTBEAT, GROUP_JOIN, REBALANCING, COMMIT_OFFSETS]) {
    member.consumer.on<Record<string, unknown>>(name, ({ payload }) => void events.push([name, payload]));
  }
  await produce(0, 12);
  await member.run();
  await expect.poll(() => valuesOf(member)).toEqual(range(0, 12));
  const other = await new Member().run();
  await balanced(member, other);
  const names = events.map(([name]) => name);
  for (const name of [HEARTBEAT, GROUP_JOIN, REBALANCING, COMMIT_OFFSETS]) expect(names).toContain(name);
  const [, joined] = events.find(([name]) => name === GROUP_JOIN)!;
  expect(joined).toMatchObject({
    groupId: "g",
    isLeader: true,
    leaderId: joined["memberId"],
    groupProtocol: "RoundRobinAssigner",
    memberAssignment: { t: range(0, PARTITIONS) },
  });

  await using admin = kafka.admin();
  await admin.connect();
  expect((await admin.listGroups()).groups).toEqual([
    { groupId: "g", protocolType: "consumer", groupState: "Stable", groupType: "classic" },
  ]);
  const { groups } = await admin.describeGroups(["g", "absent"]);
  expect(groups.map(({ groupId, state, protocol, members }) => [groupId, state, protocol, members.length])).toEqual([
    ["g", "Stable", "RoundRobinAssigner", 2],
    ["absent", "Dead", "", 0],
  ]);
  const assignments = groups[0]!.members.map(({ memberAssignment }) =>
    AssignerProtocol.MemberAssignment.decode(memberAssignment)!.assignment["t"]!,
  );
  expect(assignments.flat().sort()).toEqual(range(0, PARTITIONS));
  await expect(admin.deleteGroups(["g"])).rejects.toMatchObject({
    name: "KafkaJSDeleteGroupsError",
    groups: [{ groupId: "g", error: { type: "NON_EMPTY_GROUP" } }],
  });
  await expect(admin.resetOffsets({ groupId: "g", topic: "t" })).rejects.toThrow(/stop its consumers first/);
  await Promise.all([member.consumer.disconnect(), other.consumer.disconnect()]);

  expect(await committed("g")).toEqual(Array(6).fill("2"));
  await admin.setOffsets({ groupId: "g", topic: "t", partitions: [{ partition: 5, offset: "1" }] });
  const [moved] = await admin.fetchOffsets({ groupId: "g" });
  expect(moved!.partitions[5]).toEqual({ partition: 5, offset: "1", metadata: null });
  await admin.resetOffsets({ groupId: "g", topic: "t", earliest: true });
  expect(await committed("g")).toEqual(Array(6).fill("0"));
  await admin.resetOffsets({ groupId: "g", topic: "t" });
  expect(await committed("g")).toEqual(Array(6).fill("2"));
  expect(await admin.deleteGroups(["g"])).toEqual([{ groupId: "g", errorCode: 0 }]);
  expect((await admin.listGroups()).groups).toEqual([]);
  expect(await committed("g")).toEqual(Array(6).fill("-1"));
  const resolved = await admin.fetchOffsets({ groupId: "g", topics: ["t"], resolveOffsets: true });
  expect(resolved[0]!.partitions.map(({ offset }) => offset)).toEqual(Array(6).fill("2"));
});

test("a heartbeat interval that the session does not bear is refused", async () => {
  await start(1);
  const { consumer } = new Member({ heartbeatInterval: 1000 });
  await expect(consumer.connect()).rejects.toThrow(/heartbeatInterval \(1000\) must be less than sessionTimeout/);
});
