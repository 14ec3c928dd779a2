import type { BenchCluster } from "./bench-cluster.ts";
import type { Figure, Recorder } from "./figure.ts";
import { median } from "./statistics.ts";

type Description = Omit<Figure, "scenario" | "rounds" | "cpuSeconds">;

interface Measured {
  readonly description: Description;
  readonly rounds: number[];
  readonly cpuSeconds: number[];
}

/** Collects the rounds of several figures, which are measured in turn, so that what disturbs one disturbs all. */
export class MeasuredRounds {
  readonly #cluster: BenchCluster;
  readonly #measured = new Map<string, Measured>();

  constructor(cluster: BenchCluster) {
    this.#cluster = cluster;
  }

  /** Measures one more round of a figure. */
  async measure(description: Description, one: () => Promise<number>): Promise<void> {
    const before = await this.#cluster.cpuSeconds();
    this.add(description, await one());
    this.#of(description).cpuSeconds.push((await this.#cluster.cpuSeconds()) - before);
  }

  /** One more round of a figure that was measured together with another one. */
  add(description: Description, value: number): void {
    this.#of(description).rounds.push(value);
  }

  record(recorder: Recorder): void {
    for (const { description, rounds, cpuSeconds } of this.#measured.values()) {
      const spent = cpuSeconds.length === 0 ? {} : { cpuSeconds: median(cpuSeconds) };
      recorder.figure({ ...description, rounds, ...spent });
    }
  }

  #of(description: Description): Measured {
    const known = this.#measured.get(description.name) ?? { description, rounds: [], cpuSeconds: [] };
    this.#measured.set(description.name, known);
    return known;
  }
}
