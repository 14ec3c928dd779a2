import { describeFault } from "./schedule.ts";
import { shrink } from "./shrink.ts";
import { simulate } from "./simulate.ts";
import type { SimulationResult } from "./simulate.ts";
import { parseSimulateArguments, USAGE, UsageError } from "./simulate-arguments.ts";
import type { SimulateArguments } from "./simulate-arguments.ts";

const PROGRESS_EVERY = 20;

/** `npm run simulate`: one run per seed, one after the other; what fails is shrunk and printed. */
function main(): void {
  const { seeds, firstSeed, seconds } = readArguments();
  let passed = 0;
  let virtualMs = 0;
  const startedUs = cpuUs();
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const result = simulate(seed, { seconds });
    virtualMs += result.virtualMs;
    if (result.violation === undefined) passed++;
    else report(result, seconds);
    const done = seed - firstSeed + 1;
    if (done % PROGRESS_EVERY !== 0 && done !== seeds) continue;
    const speed = (virtualMs * 1000) / (cpuUs() - startedUs);
    const virtualSeconds = Math.round(virtualMs / 1000);
    console.log(`${done} of ${seeds} seeds, ${virtualSeconds} virtual seconds, ${Math.round(speed)} times real time`);
  }
  console.log(`${passed} passed, ${seeds - passed} failed`);
  process.exitCode = passed === seeds ? 0 : 1;
}

function report(failed: SimulationResult, seconds: number): void {
  const { seed, schedule, violation, log } = shrink(failed, seconds);
  const { faults, ...cluster } = schedule;
  console.log(`\nseed ${seed} failed: ${violation?.rule}\n  ${violation?.evidence}`);
  console.log(`  in a cluster of ${JSON.stringify(cluster)}`);
  console.log(`  with ${faults.length} of ${failed.schedule.faults.length} faults:`);
  for (const fault of faults) console.log(`    ${describeFault(fault)}`);
  console.log("  which ends:");
  for (const line of log.slice(-15)) console.log(`    ${line}`);
  console.log(`  rerun: npm run simulate -- --seed ${seed} --seconds ${seconds}\n`);
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function readArguments(): SimulateArguments {
  try {
    return parseSimulateArguments(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

main();
