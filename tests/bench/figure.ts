/** What one run of the bench found out. This is the JSON that `--json` writes and `--compare` reads. */
export interface Report {
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
  readonly figures: readonly Figure[];
  /** What was left out, and why. */
  readonly skipped: readonly string[];
  /** Scenarios that failed their checks: they have no figures. */
  readonly failed: readonly string[];
}

export interface Figure {
  readonly scenario: string;
  /** Unique within its scenario. */
  readonly name: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
  /** One value each, of which the median counts. */
  readonly rounds: readonly number[];
  /** The name of the figure of the same scenario and the same rounds that this one is to be held against. */
  readonly limit?: string;
  /** What an acknowledgement was worth, in the systems' own terms. */
  readonly durability?: string;
  /** Seconds of processor time of all browsers, the median of the rounds. */
  readonly cpuSeconds?: number;
}

/** How a scenario hands over what it found. */
export interface Recorder {
  figure(figure: Omit<Figure, "scenario">): void;
  /** Says loudly what was left out. */
  skip(reason: string): void;
  /** A line about what is going on. */
  note(line: string): void;
}

export interface ScenarioOptions {
  readonly roundCount: number;
  /** How long the scenario that watches memory does. */
  readonly memoryMinutes: number;
}

export type Scenario = (recorder: Recorder, options: ScenarioOptions) => Promise<void>;
