import { expect, test } from "vitest";
import { AssignedPartition } from "../../src/client/assigned-partition.ts";
import { defaultRetry } from "../../src/client/backoff.ts";
import type { BrokerConnections } from "../../src/client/broker-connections.ts";
import type { Cluster } from "../../src/client/cluster.ts";
import { Emitter } from "../../src/client/events.ts";
import type { Fetcher } from "../../src/client/fetcher.ts";
import { ConsumerGroup } from "../../src/client/group/consumer-group.ts";
import { createLogger, logLevel } from "../../src/client/logger.ts";
import { browserClock } from "../../src/platform/browser/browser-clock.ts";
import { offsetCommit } from "../../src/protocol/apis/08-offset-commit.ts";
import type { OffsetCommitRequestInit } from "../../src/protocol/apis/08-offset-commit.ts";
import { joinGroup } from "../../src/protocol/apis/11-join-group.ts";
import { errorCode } from "../../src/protocol/error-codes.ts";
import type { Clock } from "../../src/runtime/clock.ts";

const WHERE = { topic: "t", partition: 0 };
const behind = (offset: number) => ({ ...WHERE, offset, leaderEpoch: -1, metadata: null });

/** A group that owns a partition, and whose coordinator answers commits when it is told to. */
function owner(rebalanceTimeout: number) {
  const committed: number[] = [];
  const timers = new Set<object>();
  const clock: Clock = {
    ...browserClock,
    setTimer(delayMs, callback) {
      const timer = {};
      timers.add(timer);
      // Timers may be early by a little.
      const cancel = browserClock.setTimer(delayMs - 2, () => {
        timers.delete(timer);
        callback();
      });
      return () => {
        timers.delete(timer);
        cancel();
      };
    },
  };
  const unanswered: (() => void)[] = [];
  let waiting: (() => void)[] = [];
  const fetcher = {
    partitions: [new AssignedPartition("t", 0, { kind: "earliest" }, "earliest")],
    assign(partitions: AssignedPartition[]) {
      fetcher.partitions = partitions;
    },
    async settled(holds: () => boolean) {
      while (!holds()) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    fail: () => {},
    notify: () => waiting.splice(0).forEach((resume) => resume()),
  };
  const request = async (api: unknown, body: OffsetCommitRequestInit) => {
    if (api === joinGroup) return { errorCode: errorCode("GROUP_MAX_SIZE_REACHED") };
    if (api !== offsetCommit) return { coordinators: [{ key: "g", nodeId: 1, errorCode: 0 }] };
    await new Promise<void>((resolve) => unanswered.push(resolve));
    committed.push(body.topics[0]!.partitions[0]!.committedOffset);
    return { topics: [] };
  };
  const cluster = {
    clock,
    watch: () => () => {},
    image: { topicNamed: () => undefined },
    platform: { random: () => 0.5 },
    requestTimeoutMs: 5000,
    activeNodes: () => [1],
  };
  const logger = createLogger({ level: logLevel.NOTHING, logCreator: () => () => {}, wallNow: browserClock.wallNow });
  const group = new ConsumerGroup({
    groupId: "g",
    config: { rebalanceTimeout },
    cluster: cluster as unknown as Cluster,
    connections: { to: () => ({ request }) } as unknown as BrokerConnections,
    fetcher: fetcher as unknown as Fetcher,
    emitter: new Emitter(browserClock.wallNow, logger),
    logger,
    retry: defaultRetry,
    topics: () => ["t"],
    newPartition: () => expect.fail("nothing is assigned"),
  });
  const answer = async () => {
    await expect.poll(() => unanswered.length).toBeGreaterThan(0);
    unanswered.shift()!();
  };
  return { group, fetcher, committed, answer, timers };
}

test("what the application commits is committed before the partition is given up", async () => {
  const { group, fetcher, committed, answer } = owner(5000);
  const commits = [group.commit([behind(5)]), group.commit([behind(7)])];
  const revoked = group.revoke([WHERE]);
  await answer();
  await commits[0];
  expect(fetcher.partitions.length).toBe(1);
  await answer();
  await revoked;
  expect([committed, fetcher.partitions]).toEqual([[5, 7], []]);
});

test("a coordinator that does not answer keeps it no longer than the others wait", async () => {
  const { group, fetcher, answer } = owner(50);
  const commit = group.commit([behind(5)]);
  await group.revoke([WHERE]);
  expect(fetcher.partitions).toEqual([]);
  await answer();
  await commit;
});

test("a member that the group has refused leaves no timer behind", async () => {
  const { group, timers } = owner(5000);
  group.join({ autoCommitInterval: 1000 });
  await expect.poll(() => group.isMember).toBe(false);
  expect(timers.size).toBe(1);
  await group.leave();
  expect(timers.size).toBe(0);
});
