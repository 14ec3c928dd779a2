import { loadAll } from "../../src/client/on-demand.ts";
import { settled } from "../../src/platform/simulated/settled.ts";
import { assert } from "../../src/protocol/assert.ts";
import { live } from "./life.ts";
import { ViolationFound } from "./recorder.ts";
import type { Violation } from "./recorder.ts";
import { drawSchedule } from "./schedule.ts";
import type { Schedule } from "./schedule.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";
import type { Life, Wait } from "./wait.ts";

export interface SimulationOptions {
  /** Virtual seconds of faults and load; what is before and after them comes on top. */
  readonly seconds: number;
  /** Instead of the one that the seed makes. */
  readonly schedule?: Schedule;
}

export interface SimulationResult {
  readonly seed: number;
  readonly schedule: Schedule;
  /** What rule was broken first; undefined for a run that passed. */
  readonly violation: Violation | undefined;
  readonly traceHash: string;
  readonly virtualMs: number;
  readonly events: number;
  readonly acknowledged: number;
  readonly read: number;
  readonly marks: ReadonlyMap<string, number>;
  readonly log: readonly string[];
}

/** Far more than all that a thawed tab or page has to catch up with. */
const MOST_EVENTS_AT_ONCE = 100_000;
/** How often a run looks whether what it waits for has come. */
const LOOK_EVERY_US = 20_000;

/** One run from its seed to its result. */
export async function simulate(seed: number, options: SimulationOptions): Promise<SimulationResult> {
  const simulation = new Simulation(seed, options);
  await simulation.finish();
  return simulation.result;
}

/** A run that is taken event by event. */
export class Simulation {
  readonly cluster: SimulatedCluster;
  readonly #seed: number;
  readonly #life: Life<void>;
  #wait: Wait = { condition: () => true, endUs: 0 };
  #lookAtUs = 0;
  #isPrepared = false;
  /** The last moment at which something happened, and how much. */
  #momentUs = -1;
  #momentEvents = 0;
  #result: SimulationResult | undefined;

  constructor(seed: number, { seconds, schedule = drawSchedule(seed, seconds) }: SimulationOptions) {
    this.#seed = seed;
    this.cluster = new SimulatedCluster(seed, schedule);
    this.#life = live(this.cluster, seconds);
  }

  /** Known once `next` has given false. */
  get result(): SimulationResult {
    assert(this.#result !== undefined, "a run has a result once it is over");
    return this.#result;
  }

  /** Lets the next event happen, and all that follows from it at the same moment; false when the run is over. */
  async next(): Promise<boolean> {
    await this.#prepare();
    const goesOn = this.#advance();
    if (this.cluster.unsettled) await this.#settle();
    return goesOn;
  }

  /** As many events as there are, without a pause where no promise has to settle. */
  async finish(): Promise<void> {
    await this.#prepare();
    while (this.#advance()) if (this.cluster.unsettled) await this.#settle();
  }

  /** What the SDK loads when it is needed would take time that no virtual clock knows of. */
  async #prepare(): Promise<void> {
    if (this.#isPrepared) return;
    this.#isPrepared = true;
    await loadAll();
  }

  async #settle(): Promise<void> {
    this.cluster.unsettled = false;
    await settled();
  }

  #advance(): boolean {
    if (this.#result !== undefined) return false;
    const { cluster } = this;
    try {
      if (cluster.failure !== undefined) throw cluster.failure;
      while (!cluster.time.step(this.#lookAtUs)) {
        if (!this.#look()) return this.#end(undefined);
        if (cluster.unsettled) break;
      }
      this.#countMoment();
      return true;
    } catch (error) {
      return this.#end(violationOf(error));
    }
  }

  /** Whoever asks for the same moment again and again would make the run last for ever. */
  #countMoment(): void {
    const { recorder, time } = this.cluster;
    if (time.nowUs !== this.#momentUs) {
      this.#momentUs = time.nowUs;
      this.#momentEvents = 0;
    } else if (++this.#momentEvents > MOST_EVENTS_AT_ONCE) {
      recorder.violation("liveness: time goes on", `${this.#momentEvents} events came at ${time.nowMs} ms`);
    }
  }

  /** At a moment at which nothing else happens: whether the run goes on, with what it waits for next. */
  #look(): boolean {
    const { time } = this.cluster;
    for (;;) {
      const holds = this.#wait.condition();
      if (!holds && time.nowUs < this.#wait.endUs) break;
      const { done, value } = this.#life.next(holds);
      if (done === true) return false;
      this.#wait = value;
    }
    this.#lookAtUs = Math.min(this.#wait.endUs, time.nowUs + LOOK_EVERY_US);
    return true;
  }

  #end(violation: Violation | undefined): false {
    const { cluster } = this;
    this.#result = {
      seed: this.#seed,
      schedule: cluster.schedule,
      violation,
      traceHash: cluster.trace.value,
      virtualMs: cluster.time.nowMs,
      events: cluster.events,
      acknowledged: cluster.recorder.acknowledgements,
      read: cluster.recorder.reads,
      marks: cluster.marks,
      log: cluster.log,
    };
    return false;
  }
}

function violationOf(error: unknown): Violation {
  if (error instanceof ViolationFound) return error.violation;
  // A broken invariant of the core itself is a finding like any other.
  const { name, message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  return { rule: `crash: ${message}`, evidence: `${name}\n${stack.split("\n").slice(1, 8).join("\n")}` };
}
