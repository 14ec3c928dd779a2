import { afterEach, expect, test } from "vitest";
import type { Cluster } from "../../src/client/cluster.ts";
import { KafkaJSProtocolError } from "../../src/client/errors.ts";
import { Emitter } from "../../src/client/events.ts";
import type { TopicPartition } from "../../src/client/fetch-position.ts";
import { ConsumerMembership } from "../../src/client/group/consumer-membership.ts";
import type { CoordinatorLink } from "../../src/client/group/coordinator-link.ts";
import { createLogger, logLevel } from "../../src/client/logger.ts";
import { defaultRetry } from "../../src/client/backoff.ts";
import type {
  ConsumerGroupHeartbeatRequestInit,
  ConsumerGroupHeartbeatResponseInit,
} from "../../src/protocol/apis/68-consumer-group-heartbeat.ts";
import { browserClock } from "../../src/platform/browser/browser-clock.ts";
import { settled } from "../../src/platform/simulated/settled.ts";
import { VirtualTime } from "../../src/platform/simulated/virtual-time.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import type { Clock } from "../../src/runtime/clock.ts";

/** A member and a coordinator that says what the test wants it to. */

const TOPIC_ID = "00000000-0000-4000-8000-000000000001";

/** Null for no answer at all. */
type Answer = null | ErrorName | { readonly memberEpoch: number; readonly partitions?: readonly number[] };

const memberships: ConsumerMembership[] = [];

afterEach(() => {
  for (const membership of memberships.splice(0)) membership.abandon();
});

/** Answers heartbeats in order, and the last way for ever. */
class Bench {
  readonly heartbeats: ConsumerGroupHeartbeatRequestInit[] = [];
  readonly failures: Error[] = [];
  readonly membership: ConsumerMembership;
  owned: TopicPartition[] = [];
  lost = 0;

  constructor(answers: readonly Answer[], groupInstanceId: string | null = null, clock: Clock = browserClock) {
    let ids = 0;
    const cluster = {
      clock,
      platform: { randomUuid: () => `member-${++ids}`, random: () => 0.5 },
      requestTimeoutMs: 1000,
      image: { topics: new Map([[TOPIC_ID, { name: "t" }]]) },
      watch: () => () => {},
    } as unknown as Cluster;
    const link = { groupId: "g", ask: (_: unknown, body: never) => this.#answer(body, answers) };
    const logger = createLogger({ level: logLevel.NOTHING, logCreator: () => () => {}, wallNow: browserClock.wallNow });
    this.membership = new ConsumerMembership({
      cluster,
      link: link as unknown as CoordinatorLink,
      emitter: new Emitter(browserClock.wallNow, logger),
      logger,
      retry: { ...defaultRetry, initialRetryTime: 1 },
      groupInstanceId,
      rackId: "",
      rebalanceTimeoutMs: 5000,
      remoteAssignor: null,
      topics: () => ["t"],
      partitions: {
        owned: () => this.owned,
        revoke: async (gone) => {
          this.owned = this.owned.filter((one) => !gone.some(({ partition }) => partition === one.partition));
        },
        lose: () => {
          this.lost++;
          this.owned = [];
        },
        assign: async (added) => {
          this.owned = [...this.owned, ...added.map(({ topic, partition }) => ({ topic, partition }))];
        },
      },
      changed: () => {},
      failed: (error) => void this.failures.push(error),
    });
    memberships.push(this.membership);
    this.membership.start();
  }

  async #answer(
    body: ConsumerGroupHeartbeatRequestInit,
    answers: readonly Answer[],
  ): Promise<ConsumerGroupHeartbeatResponseInit> {
    const answer = answers[Math.min(this.heartbeats.push(body), answers.length) - 1]!;
    if (answer === null) return new Promise(() => {});
    if (typeof answer === "string") throw new KafkaJSProtocolError(answer);
    const { memberEpoch, partitions } = answer;
    const assignment =
      partitions === undefined ? null : { topicPartitions: [{ topicId: TOPIC_ID, partitions: [...partitions] }] };
    return { errorCode: 0, memberEpoch, heartbeatIntervalMs: 20, assignment };
  }

  epochs(): (number | undefined)[] {
    return this.heartbeats.map(({ memberEpoch }) => memberEpoch);
  }
}

const partitionsOf = ({ owned }: Bench) => owned.map(({ partition }) => partition);

test("the first heartbeat says everything, the next only what the member has", async () => {
  const bench = new Bench([{ memberEpoch: 1, partitions: [0, 1] }, { memberEpoch: 1 }]);
  await expect.poll(() => bench.heartbeats.length).toBeGreaterThan(3);
  const [join, acknowledgement, next] = bench.heartbeats;
  const everything = { subscribedTopicNames: ["t"], rebalanceTimeoutMs: 5000, topicPartitions: [] };
  expect(join).toMatchObject({ memberEpoch: 0, memberId: "member-1", ...everything });
  expect(acknowledgement).toMatchObject({
    memberEpoch: 1,
    subscribedTopicNames: null,
    rebalanceTimeoutMs: -1,
    topicPartitions: [{ topicId: TOPIC_ID, partitions: [0, 1] }],
  });
  expect(next).toMatchObject({ topicPartitions: null });
});

test("what is taken away is given up first, then acknowledged, and what stays is not touched", async () => {
  const bench = new Bench([
    { memberEpoch: 1, partitions: [0, 1] },
    { memberEpoch: 1, partitions: [1] },
    { memberEpoch: 2, partitions: [1, 2] },
    { memberEpoch: 2 },
  ]);
  await expect.poll(() => partitionsOf(bench)).toEqual([1, 2]);
  expect(bench.lost).toBe(0);
  const said = bench.heartbeats.map(({ topicPartitions }) => topicPartitions?.[0]?.partitions);
  expect(said.slice(1, 3)).toEqual([[0, 1], [1]]);
  expect(bench.membership.identity).toMatchObject({ memberId: "member-1", generationId: 2 });
});

test.each(["FENCED_MEMBER_EPOCH", "UNKNOWN_MEMBER_ID", "GROUP_ID_NOT_FOUND"] as const)(
  "after %s everything is lost, and the member joins again at once",
  async (error) => {
    const bench = new Bench([
      { memberEpoch: 4, partitions: [0] },
      error,
      { memberEpoch: 6, partitions: [1] },
      { memberEpoch: 6 },
    ]);
    await expect.poll(() => partitionsOf(bench)).toEqual([1]);
    expect(bench.lost).toBe(1);
    expect(bench.epochs().slice(0, 4)).toEqual([0, 4, 0, 6]);
    const everything = { subscribedTopicNames: ["t"], topicPartitions: [] };
    expect(bench.heartbeats[2]).toMatchObject({ memberId: "member-1", ...everything });
    expect(bench.membership.identity).toMatchObject({ memberId: "member-1", generationId: 6, life: 1 });
    expect(bench.failures).toEqual([]);
  },
);

test("a member that may not begin anew leaves, and joins as another one", async () => {
  const bench = new Bench(["FENCED_MEMBER_EPOCH", { memberEpoch: -1 }, { memberEpoch: 2, partitions: [0] }]);
  await expect.poll(() => partitionsOf(bench)).toEqual([0]);
  expect(bench.epochs().slice(0, 3)).toEqual([0, -1, 0]);
  expect(bench.heartbeats.slice(0, 3).map(({ memberId }) => memberId)).toEqual(["member-1", "member-1", "member-2"]);
});

test("after a heartbeat that failed, everything is said again", async () => {
  const bench = new Bench([
    { memberEpoch: 3, partitions: [0] },
    "COORDINATOR_LOAD_IN_PROGRESS",
    { memberEpoch: 3, partitions: [0] },
    { memberEpoch: 3 },
  ]);
  await expect.poll(() => bench.heartbeats.length).toBeGreaterThan(4);
  expect(bench.heartbeats[2]).toMatchObject({
    memberEpoch: 3,
    subscribedTopicNames: ["t"],
    topicPartitions: [{ topicId: TOPIC_ID, partitions: [0] }],
  });
  expect(bench.heartbeats[3]).toMatchObject({ subscribedTopicNames: null, topicPartitions: null });
  expect([bench.lost, partitionsOf(bench)]).toEqual([0, [0]]);
});

test.each([
  [null, -1],
  ["a", -2],
] as const)("a member named %s leaves with the epoch %d", async (groupInstanceId, epoch) => {
  const bench = new Bench([{ memberEpoch: 1, partitions: [0] }, { memberEpoch: 1 }], groupInstanceId);
  await expect.poll(() => partitionsOf(bench)).toEqual([0]);
  await bench.membership.leave();
  const leave = { memberEpoch: epoch, memberId: "member-1", instanceId: groupInstanceId };
  expect(bench.heartbeats.at(-1)).toMatchObject(leave);
});

test("a heartbeat that is long in coming back stops nobody who is awake, but whoever has slept", async () => {
  const time = new VirtualTime();
  let sleptMs = 0;
  const clock: Clock = {
    now: () => time.nowMs + sleptMs,
    wallNow: () => time.nowMs + sleptMs,
    setTimer: (delayMs, callback) => {
      let isDue = true;
      time.after(delayMs, () => isDue && callback());
      return () => void (isDue = false);
    },
  };
  const pass = async (ms: number) => {
    const endUs = time.nowUs + ms * 1000;
    while (time.nowUs < endUs) {
      time.step(endUs);
      await settled();
      expect(membership.isHeard).toBe(true);
    }
  };
  const bench = new Bench([{ memberEpoch: 1, partitions: [0] }, { memberEpoch: 1 }, null], null, clock);
  const { membership } = bench;
  await settled();
  await pass(3_000);
  expect(bench.heartbeats).toHaveLength(3);
  sleptMs = 200;
  expect(membership.isHeard).toBe(false);
  time.step(time.nowUs + 20_000);
  expect(membership.isHeard).toBe(false);
});

test("what joining again does not mend ends the membership", async () => {
  const bench = new Bench([{ memberEpoch: 1, partitions: [0] }, "FENCED_INSTANCE_ID"], "a");
  await expect.poll(() => bench.failures.length).toBe(1);
  expect(bench.failures[0]).toMatchObject({ type: "FENCED_INSTANCE_ID" });
  expect(bench.owned).toEqual([]);
  const count = bench.heartbeats.length;
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(bench.heartbeats.length).toBe(count);
});
