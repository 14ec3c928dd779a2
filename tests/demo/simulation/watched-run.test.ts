import { expect, test, vi } from "vitest";
import { partitionViews } from "../../../src/demo/simulation/partition-view.ts";
import { RunHistory } from "../../../src/demo/simulation/run-history.ts";
import { tabViews } from "../../../src/demo/simulation/tab-view.ts";
import { linkViews } from "../../../src/demo/simulation/link-view.ts";
import { WatchedRun } from "../../../src/demo/simulation/watched-run.ts";
import { drawSchedule } from "../../simulation/schedule.ts";
import type { Fault, Schedule } from "../../simulation/schedule.ts";
import { simulate } from "../../simulation/simulate.ts";

// A run takes a second, and several on a machine that does much else.
vi.setConfig({ testTimeout: 30_000 });

const kill: Fault = {
  atMs: 1_000, kind: "kill-tab", on: "time", aim: "leader", target: 0, other: 0, durationMs: 1_500,
};
const freeze: Fault = { ...kill, kind: "freeze-tab", aim: "any", target: 1, atMs: 3_200, durationMs: 300 };
const schedule: Schedule = {
  ...drawSchedule(1, 4), tabs: 4, partitions: 2, producers: 1, consumers: 1, sdkProducers: 0, sdkConsumers: 0,
  relaxedTabs: 0, relaxedTopic: false, faults: [kill, { ...kill, atMs: 1_100 }, freeze],
};
const request = { seed: 1, seconds: 4, schedule };

async function finish(run: WatchedRun, onEvent: () => void = () => {}): Promise<void> {
  while (await run.next()) onEvent();
}

test("a run that is watched is the run that is not", async () => {
  const run = new WatchedRun(request, new RunHistory());
  const links = new Set<string>();
  await finish(run, () => {
    for (const { from, to, dueUs } of run.traffic.inFlight(run.nowUs)) {
      expect(dueUs).toBeGreaterThan(run.nowUs);
      links.add(`${from}>${to}`);
    }
    tabViews(run.cluster);
    linkViews(run.cluster, () => {});
  });
  const { traceHash, events } = await simulate(1, request);
  expect(run.result).toMatchObject({ traceHash, events, violation: undefined });
  expect([...links]).toEqual(expect.arrayContaining(["tab-1>server", "server>tab-1", "producer-0>tab-1"]));
});

test("the history holds elections, and faults with what became of them", async () => {
  const history = new RunHistory();
  const run = new WatchedRun(request, history);
  await finish(run);
  const beganUs = history.beganUs!;
  expect(beganUs).toBeGreaterThan(0);
  expect(history.faults.map(({ state }) => state)).toEqual(["came", expect.stringMatching(/came|void/), "came"]);
  const [startUs, endUs] = [beganUs + 1_000_000, beganUs + 2_500_000];
  expect(history.faults[0]).toMatchObject({ startUs, endUs, target: "a leader" });
  expect(history.faults[2]).toMatchObject({ target: "tab-2" });
  const [first] = history.leaderships;
  expect(first!.length).toBeGreaterThan(1);
  expect(first![0]).toMatchObject({ leaderEpoch: 0 });
  expect(first!.at(-1)).toMatchObject({ inSync: 3 });
  expect(run.elections).toBeGreaterThan(schedule.partitions);
  expect(run.faultsCome).toBe(3);
  expect(history.end).toEqual({ atUs: history.untilUs, violation: undefined });
});

test("faults of clients name the client or the member that they befall", async () => {
  const kinds = [
    "crash-member", "join-member", "pause-member", "crash-consumer", "break-client-links", "freeze-client",
  ] as const;
  const faults = kinds.map((kind, at): Fault => {
    return { ...freeze, kind, target: 4, atMs: 1_000 + at * 100 };
  });
  const grouped = { ...schedule, eagerMembers: 2, cooperativeMembers: 3, consumers: 2, sdkMembers: 0, faults };
  const history = new RunHistory();
  await finish(new WatchedRun({ ...request, schedule: grouped }, history));
  expect(history.faults.map(({ target }) => target)).toEqual([
    "cooperative-member-2", "cooperative-member-3", "cooperative-member-2", "consumer-0", "eager-member-1", "nobody",
  ]);
});

test("running it again adds nothing to the history", async () => {
  const history = new RunHistory();
  await finish(new WatchedRun(request, history));
  const before = structuredClone({ ...history });
  const again = new WatchedRun(request, history);
  for (let events = 0; events < 300; events++) await again.next();
  expect(again.nowUs).toBeLessThan(history.untilUs);
  expect({ ...history }).toEqual(before);
  await finish(again);
  expect({ ...history }).toEqual(before);
});

test("a killed tab is dead, a frozen one frozen, and both still show what their disks hold", async () => {
  const run = new WatchedRun(request, new RunHistory());
  const states = new Set<string>();
  const lost = new Set<number>();
  await finish(run, () => {
    for (const { state } of tabViews(run.cluster)) states.add(state);
    for (const { replicas } of partitionViews(run.cluster)) {
      for (const { isAlive, logEndOffset, epochs } of replicas) {
        if (!isAlive && logEndOffset > 0) lost.add(epochs.at(-1)!.to - logEndOffset);
      }
    }
  });
  expect([...states]).toEqual(expect.arrayContaining(["starting", "running", "dead", "frozen"]));
  expect([...lost]).toEqual([0]);
  for (const { replicas, committed, leader } of partitionViews(run.cluster)) {
    expect(replicas).toHaveLength(3);
    expect(replicas.filter(({ role }) => role === "leader").map(({ tab }) => tab)).toEqual([leader]);
    for (const { logEndOffset } of replicas) expect(logEndOffset).toBeGreaterThanOrEqual(committed);
  }
});

test("what is cut shows as cut, in its direction", async () => {
  const cut: Fault = { ...kill, kind: "cut-one-way", aim: "any", target: 0, other: 0, atMs: 500 };
  const run = new WatchedRun({ ...request, schedule: { ...schedule, faults: [cut] } }, new RunHistory());
  while (run.faultsCome === 0) await run.next();
  const ways = linkViews(run.cluster, () => {}).flatMap(({ cutWays }) => cutWays);
  expect(new Set(ways.map(([from]) => from))).toEqual(new Set(["tab-1"]));
});
