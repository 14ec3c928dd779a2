import { median } from "./campaign.ts";
import { drawSchedule } from "./schedule.ts";
import type { Schedule } from "./schedule.ts";
import type { FinishedRun } from "./simulation-worker.ts";
import type { WorkerPool } from "./worker-pool.ts";

interface Speed {
  readonly timesRealTime: number;
  readonly eventsPerCpuSecond: number;
  readonly operationsPerVirtualSecond: number;
  readonly failed: number;
}

interface Load {
  readonly name: string;
  /** By two producers. Two consumers and the final reader read each, so that operations are four times as many. */
  readonly recordsPerSecond: number;
  readonly withFaults: boolean;
  /** The shipped clients, instead of the scripted ones. */
  readonly withSdk: boolean;
}

const loads: readonly Load[] = [
  { name: "200 operations a second, faults", recordsPerSecond: 50, withFaults: true, withSdk: false },
  { name: "200 operations a second", recordsPerSecond: 50, withFaults: false, withSdk: false },
  { name: "200 operations a second, faults, SDK clients", recordsPerSecond: 50, withFaults: true, withSdk: true },
  { name: "200 operations a second, SDK clients", recordsPerSecond: 50, withFaults: false, withSdk: true },
  { name: "800 operations a second, faults", recordsPerSecond: 200, withFaults: true, withSdk: false },
];

/** Three brokers and four clients; everything else as the seed has it. */
function loadedSchedule(seed: number, seconds: number, { recordsPerSecond, withFaults, withSdk }: Load): Schedule {
  const drawn = drawSchedule(seed, seconds);
  return {
    ...drawn,
    tabs: 3,
    profiles: 3,
    relaxedTabs: 0,
    relayedTabs: 0,
    leaderAckedPartitions: 0,
    passingPartitions: 0,
    compactedPartitions: 0,
    eagerMembers: 0,
    cooperativeMembers: 0,
    consumerMembers: 0,
    sdkMembers: 0,
    producers: 2,
    consumers: 2,
    sdkProducers: withSdk ? 2 : 0,
    sdkConsumers: withSdk ? 2 : 0,
    recordsPerSecond,
    faults: withFaults ? drawn.faults : [],
  };
}

/** A table of how fast the loaded profile is simulated, in processes that have been at it for a while. */
export async function measureSpeed(
  pool: WorkerPool,
  seeds: readonly number[],
  seconds: number,
): Promise<{ readonly table: string; readonly runs: number; readonly failed: number }> {
  const rows: string[] = [];
  let failed = 0;
  const runAll = (load: Load) =>
    Promise.all(seeds.map((seed) => pool.run({ seed, seconds, schedule: loadedSchedule(seed, seconds, load) })));
  // Campaigns are long: but for their first seconds they run code that the engine has compiled for all kinds of clients.
  for (const load of loads) await runAll(load);
  for (const load of loads) {
    const speed = summarize(await runAll(load), seconds);
    failed += speed.failed;
    const cells = [speed.timesRealTime, speed.eventsPerCpuSecond, speed.operationsPerVirtualSecond].map(Math.round);
    rows.push(`| ${load.name} | ${cells.join(" | ")} |`);
  }
  const table = [
    `3 brokers, 4 clients, ${seconds} virtual seconds; medians of ${seeds.length} runs`,
    "",
    "| load | times real time per core | events per CPU second | records acknowledged and read per virtual second |",
    "|---|---|---|---|",
    ...rows,
  ].join("\n");
  return { table, runs: loads.length * seeds.length, failed };
}

function summarize(runs: readonly FinishedRun[], seconds: number): Speed {
  const passed = runs.filter(({ result }) => result.violation === undefined);
  return {
    timesRealTime: median(passed.map(({ result, cpuMs }) => result.virtualMs / cpuMs)),
    eventsPerCpuSecond: median(passed.map(({ result, cpuMs }) => (result.events * 1000) / cpuMs)),
    operationsPerVirtualSecond: median(passed.map(({ result }) => (result.acknowledged + result.read) / seconds)),
    failed: runs.length - passed.length,
  };
}
