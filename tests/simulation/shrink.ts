import type { Schedule } from "./schedule.ts";
import { simulate } from "./simulate.ts";
import type { SimulationResult } from "./simulate.ts";

export interface ShrunkRun {
  readonly result: SimulationResult;
  /** The length that the run was given. */
  readonly seconds: number;
}

/** Whatever comes first ends the search; the smallest run so far is the result. */
const MOST_RUNS = 200;
const MOST_VIRTUAL_MS = 8_000_000;

/** What a cluster can do without, and how little of it there can be. */
const sizes = [
  ["leaderAckedPartitions", 0],
  ["passingPartitions", 0],
  ["compactedPartitions", 0],
  ["sdkMembers", 0],
  ["eagerMembers", 0],
  ["cooperativeMembers", 0],
  ["consumerMembers", 0],
  ["staticMembers", 0],
  ["relayedTabs", 0],
  ["sdkConsumers", 0],
  ["sdkProducers", 0],
  ["consumers", 1],
  ["producers", 1],
  ["partitions", 1],
  ["tabs", 3],
] as const;

/**
 * A failing run made as small as possible while it goes on breaking the same rule: fewer faults, found by delta
 * debugging, then fewer nodes, then a shorter life. Whatever is left out changes the rest of the run, as it must, so a
 * shrunk schedule is a failing run of its own and not a part of the first one.
 */
export async function shrink(failed: ShrunkRun): Promise<ShrunkRun> {
  const search = new Search(failed);
  await search.fewerFaults();
  await search.fewerNodes();
  await search.shorterLife();
  await search.fewerFaults();
  return search.best;
}

class Search {
  best: ShrunkRun;
  readonly #rule: string | undefined;
  #runs = 0;
  #virtualMs = 0;

  constructor(failed: ShrunkRun) {
    this.best = failed;
    this.#rule = failed.result.violation?.rule;
  }

  /** Leaves out whole parts of the list, then smaller ones, in the end one after the other. */
  async fewerFaults(): Promise<void> {
    for (let size = Math.ceil(this.#schedule.faults.length / 2); size >= 1; ) {
      let shrank = false;
      for (let start = 0; start < this.#schedule.faults.length; ) {
        const { faults, ...cluster } = this.#schedule;
        const fewer = faults.filter((_, at) => at < start || at >= start + size);
        if (await this.#accepts({ ...cluster, faults: fewer })) shrank = true;
        else start += size;
      }
      if (shrank && size === 1) continue;
      size = Math.floor(size / 2);
    }
  }

  async fewerNodes(): Promise<void> {
    for (const [size, least] of sizes) {
      for (let count = least; count < this.#schedule[size]; count++) {
        if (await this.#accepts(fitted({ ...this.#schedule, [size]: count }))) break;
      }
    }
  }

  async shorterLife(): Promise<void> {
    for (let step = Math.floor(this.best.seconds / 2); step >= 1; step = Math.floor(step / 2)) {
      await this.#accepts(this.#schedule, Math.max(1, this.best.seconds - step));
    }
  }

  get #schedule(): Schedule {
    return this.best.result.schedule;
  }

  async #accepts(schedule: Schedule, seconds = this.best.seconds): Promise<boolean> {
    if (this.#runs === MOST_RUNS || this.#virtualMs >= MOST_VIRTUAL_MS) return false;
    this.#runs++;
    const result = await simulate(this.best.result.seed, { seconds, schedule });
    this.#virtualMs += result.virtualMs;
    if (result.violation?.rule !== this.#rule) return false;
    this.best = { result, seconds };
    return true;
  }
}

/** A cluster can have no more parts of a kind than of the kind that they are parts of. */
function fitted(schedule: Schedule): Schedule {
  return {
    ...schedule,
    profiles: Math.min(schedule.profiles, schedule.tabs),
    relaxedTabs: Math.min(schedule.relaxedTabs, schedule.tabs),
    relayedTabs: Math.min(schedule.relayedTabs, schedule.tabs),
    sdkProducers: Math.min(schedule.sdkProducers, schedule.producers),
    sdkConsumers: Math.min(schedule.sdkConsumers, schedule.consumers),
  };
}
