import type { Schedule } from "../../../tests/simulation/schedule.ts";
import { Simulation } from "../../../tests/simulation/simulate.ts";
import type { SimulationResult } from "../../../tests/simulation/simulate.ts";
import type { SimulatedCluster } from "../../../tests/simulation/simulated-cluster.ts";
import { TOPIC } from "../../../tests/simulation/topics.ts";
import { NO_LEADER } from "../../metadata/partition.ts";
import type { Partition } from "../../metadata/partition.ts";
import type { RunHistory } from "./run-history.ts";
import { Traffic } from "./traffic.ts";

export interface RunRequest {
  readonly seed: number;
  readonly seconds: number;
  /** Instead of the one that the seed makes. */
  readonly schedule?: Schedule;
}

const NO_PARTITIONS: readonly Partition[] = [];

/** A run that is looked at after every event. What is seen goes into a history that may outlive the run. */
export class WatchedRun {
  readonly request: RunRequest;
  readonly history: RunHistory;
  readonly traffic = new Traffic();
  /** Elections seen so far: leaders, not the times without one. */
  elections = 0;
  faultsCome = 0;
  result: SimulationResult | undefined;
  #steps = 0;
  readonly #simulation: Simulation;
  readonly #partitions: Partition[] = [];

  constructor(request: RunRequest, history: RunHistory) {
    this.request = request;
    this.history = history;
    this.#simulation = new Simulation(request.seed, request);
    const { cluster } = this;
    const { network, time } = cluster;
    network.sent = ({ node, other, lastDueUs }, frame) => {
      this.traffic.add({ from: node, to: other.node, bytes: frame.length, sentUs: time.nowUs, dueUs: lastDueUs });
    };
    cluster.faultCame = (fault, hadTarget) => {
      this.faultsCome++;
      history.observeFault(cluster, this.#steps, fault, hadTarget);
    };
  }

  get cluster(): SimulatedCluster {
    return this.#simulation.cluster;
  }

  get nowUs(): number {
    return this.cluster.time.nowUs;
  }

  /** When the next event comes. One that has to be looked for, because nothing is due, may come at once. */
  get nextUs(): number {
    const { nextUs } = this.cluster.time;
    return Number.isFinite(nextUs) ? nextUs : this.nowUs;
  }

  get partitions(): readonly Partition[] {
    return this.cluster.server.image?.topicNamed(TOPIC)?.partitions ?? NO_PARTITIONS;
  }

  /** Lets the next thing happen; false when the run is over. */
  async next(): Promise<boolean> {
    if (this.result !== undefined) return false;
    const goesOn = await this.#simulation.next();
    this.#countElections();
    this.history.observe(this.cluster, ++this.#steps, this.partitions);
    if (goesOn) return true;
    this.result = this.#simulation.result;
    this.history.observeEnd(this.result.violation);
    return false;
  }

  #countElections(): void {
    for (const partition of this.partitions) {
      const { partitionIndex, leader, leaderEpoch } = partition;
      const before = this.#partitions[partitionIndex];
      if (before === partition) continue;
      this.#partitions[partitionIndex] = partition;
      if (leader !== NO_LEADER && leaderEpoch > (before?.leaderEpoch ?? -1)) this.elections++;
    }
  }
}
