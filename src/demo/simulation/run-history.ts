import type { Violation } from "../../../tests/simulation/recorder.ts";
import type { Fault } from "../../../tests/simulation/schedule.ts";
import type { SimulatedCluster } from "../../../tests/simulation/simulated-cluster.ts";
import { NO_LEADER } from "../../metadata/partition.ts";
import type { Partition } from "../../metadata/partition.ts";
import { faultTarget } from "./fault-look.ts";

/** From when on the controller had a partition led like this. */
export interface Leadership {
  readonly fromUs: number;
  /** `NO_LEADER` while nobody can. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly inSync: number;
}

/** A fault of the schedule: `due` until it comes, `void` if there was nothing for it to do. */
export interface SeenFault {
  readonly fault: Fault;
  readonly state: "due" | "came" | "void";
  readonly startUs: number;
  readonly endUs: number;
  /** Whom it befell; undefined before it came. */
  readonly target: string | undefined;
}

/**
 * What is known of a run, up to the farthest moment that was ever reached. A run that is begun again does the same
 * again, so this is kept, and a watcher who jumps back still sees what is to come.
 */
export class RunHistory {
  /** How many events it covers, and until when. */
  steps = 0;
  untilUs = 0;
  /** When clients started and the schedule began; undefined until then. */
  beganUs: number | undefined;
  /** By partition, oldest first. */
  readonly leaderships: Leadership[][] = [];
  /** In the schedule's order. */
  readonly faults: SeenFault[] = [];
  end: { readonly atUs: number; readonly violation: Violation | undefined } | undefined;
  readonly #partitions: (Partition | undefined)[] = [];

  /** After the event with number `step`; one that was seen before changes nothing. */
  observe(cluster: SimulatedCluster, step: number, partitions: readonly Partition[]): void {
    if (step <= this.steps) return;
    this.steps = step;
    this.untilUs = cluster.time.nowUs;
    if (this.beganUs === undefined) this.#lookForBeginning(cluster);
    for (const partition of partitions) this.#observePartition(partition);
  }

  /** A fault came during the event after `step` others. */
  observeFault(cluster: SimulatedCluster, step: number, fault: Fault, hadTarget: boolean): void {
    const index = cluster.schedule.faults.indexOf(fault);
    if (step < this.steps || index === -1) return;
    const target = faultTarget(fault, cluster);
    this.faults[index] = seenFault(fault, hadTarget ? "came" : "void", cluster.time.nowUs, target);
  }

  observeEnd(violation: Violation | undefined): void {
    this.end ??= { atUs: this.untilUs, violation };
  }

  #lookForBeginning({ producers, consumers, schedule, time }: SimulatedCluster): void {
    if (producers.length + consumers.length === 0) return;
    this.beganUs = time.nowUs;
    this.faults.push(
      ...schedule.faults.map((fault) => seenFault(fault, "due", time.nowUs + fault.atMs * 1000, undefined)),
    );
  }

  #observePartition(partition: Partition): void {
    const { partitionIndex, leader, leaderEpoch, isr } = partition;
    // A partition is an immutable value; another one does not always differ in what is shown here.
    if (this.#partitions[partitionIndex] === partition) return;
    this.#partitions[partitionIndex] = partition;
    const spans = (this.leaderships[partitionIndex] ??= []);
    const last = spans.at(-1);
    const inSync = leader === NO_LEADER ? 0 : isr.length;
    if (last?.leader === leader && last.leaderEpoch === leaderEpoch && last.inSync === inSync) return;
    spans.push({ fromUs: this.untilUs, leader, leaderEpoch, inSync });
  }
}

function seenFault(fault: Fault, state: SeenFault["state"], startUs: number, target: string | undefined): SeenFault {
  return { fault, state, startUs, endUs: startUs + fault.durationMs * 1000, target };
}
