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
  readonly withFaults: boolean;
  /** The shipped clients, instead of the scripted ones. */
  readonly withSdk: boolean;
}

const loads: readonly Load[] = [
  { name: "scripted clients, with faults", withFaults: true, withSdk: false },
  { name: "scripted clients, without faults", withFaults: false, withSdk: false },
  { name: "clients of the SDK, with faults", withFaults: true, withSdk: true },
  { name: "clients of the SDK, without faults", withFaults: false, withSdk: true },
];

/** Three brokers, four clients and 200 records a second; everything else as the seed has it. */
function loadedSchedule(seed: number, seconds: number, { withFaults, withSdk }: Load): Schedule {
  const drawn = drawSchedule(seed, seconds);
  return {
    ...drawn,
    tabs: 3,
    profiles: 3,
    relaxedTabs: 0,
    relayedTabs: 0,
    leaderAckedPartitions: 0,
    passingPartitions: 0,
    producers: 2,
    consumers: 2,
    sdkProducers: withSdk ? 2 : 0,
    sdkConsumers: withSdk ? 2 : 0,
    recordsPerSecond: 200,
    faults: withFaults ? drawn.faults : [],
  };
}

/** A table of how fast the loaded profile is simulated. */
export async function measureSpeed(
  pool: WorkerPool,
  seeds: readonly number[],
  seconds: number,
): Promise<{ readonly table: string; readonly runs: number; readonly failed: number }> {
  const rows: string[] = [];
  let failed = 0;
  for (const load of loads) {
    const runs = seeds.map((seed) => pool.run({ seed, seconds, schedule: loadedSchedule(seed, seconds, load) }));
    const speed = summarize(await Promise.all(runs), seconds);
    failed += speed.failed;
    const cells = [speed.timesRealTime, speed.eventsPerCpuSecond, speed.operationsPerVirtualSecond].map(Math.round);
    rows.push(`| ${load.name} | ${cells.join(" | ")} |`);
  }
  const table = [
    `3 brokers, 4 clients, 200 records per virtual second, ${seconds} virtual seconds; medians of ${seeds.length} runs`,
    "",
    "| load | times real time per core | events per CPU second | acknowledgements and reads per virtual second |",
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
