import { describe, expect, test } from "vitest";
import { defaultBrokerConfig } from "../../src/broker/broker-config.ts";
import type { GroupUse } from "./group-use.ts";
import { createTopics } from "./life.ts";
import { plainSchedule } from "./schedule.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";
import { until } from "./wait.ts";
import type { Life } from "./wait.ts";

const MEMBERS = 50;
const PARTITIONS = 100;
const JOINING_MS = 1_000;

/** Lets virtual time go by as a run's life asks for it. */
function run<T>(cluster: SimulatedCluster, life: Life<T>): T {
  for (let step = life.next(true); ; ) {
    if (step.done === true) return step.value;
    const { condition, endUs } = step.value;
    while (!condition() && cluster.time.nowUs < endUs) cluster.time.step(Math.min(endUs, cluster.time.nowUs + 10_000));
    step = life.next(condition());
  }
}

/** Milliseconds from the last join until every partition has an owner, and everybody as many as everybody else. */
function* settle(cluster: SimulatedCluster, group: GroupUse): Life<number> {
  expect(yield* createTopics(cluster)).toBe(true);
  for (let index = 0; index < MEMBERS; index++) {
    group.begin(index);
    yield* until(cluster, () => false, JOINING_MS / MEMBERS);
  }
  const joinedMs = cluster.time.nowMs;
  yield* until(cluster, () => group.isDone(PARTITIONS, () => 0), 60_000);
  return cluster.time.nowMs - joinedMs;
}

describe(`a group of ${MEMBERS} members over ${PARTITIONS} partitions settles within 5 s of the last join`, () => {
  test.each(["eagerMembers", "cooperativeMembers", "consumerMembers"] as const)("%s", { timeout: 120_000 }, (kind) => {
    const schedule = { ...plainSchedule, partitions: PARTITIONS, producers: 0, consumers: 0, [kind]: MEMBERS };
    const { coordinator } = defaultBrokerConfig;
    const cluster = new SimulatedCluster(1, schedule, { coordinator });
    const tookMs = run(cluster, settle(cluster, cluster.groups[0]!));
    expect(tookMs).toBeLessThan(5_000);
  });
});
