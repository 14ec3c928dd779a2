import { adminFaultKinds, aims, COORDINATOR, faultKinds, groupOccasions, memberFaultKinds, occasions } from "./schedule.ts";
import type { Fault, Schedule } from "./schedule.ts";
import { UsageError } from "./usage-error.ts";

/** A run that can be had again, whatever becomes of how seeds make schedules. */
export interface SavedRun {
  readonly version: typeof SCHEDULE_VERSION;
  readonly seed: number;
  readonly seconds: number;
  readonly schedule: Schedule;
}

/** Counts the changes of what a schedule is made of, or means. */
export const SCHEDULE_VERSION = 4;
export const MOST_SAVED_BYTES = 1_048_576;
const MOST_FAULTS = 5_000;
const DAY_S = 86_400;

/** Reads one value out of JSON; throws a UsageError that names `path` unless it is what it may be. */
type Field<T> = (value: unknown, path: string) => T;

const fault: Field<Fault> = fields({
  atMs: integer(0, DAY_S * 1000),
  on: oneOf([...occasions, ...groupOccasions]),
  kind: oneOf([...faultKinds, ...memberFaultKinds, ...adminFaultKinds]),
  aim: oneOf([...aims, COORDINATOR]),
  target: integer(0, 1_000_000),
  other: integer(0, 1_000_000),
  durationMs: integer(0, DAY_S * 1000),
});

const schedule: Field<Schedule> = fields({
  tabs: integer(3, 12),
  profiles: integer(1, 12),
  partitions: integer(1, 32),
  producers: integer(0, 16),
  consumers: integer(0, 16),
  sdkProducers: integer(0, 16),
  sdkConsumers: integer(0, 16),
  recordsPerSecond: integer(1, 10_000),
  minInsyncReplicas: integer(1, 3),
  retentionBytes: integer(-1, 1_000_000_000),
  leaderAckedPartitions: integer(0, 16),
  passingPartitions: integer(0, 16),
  compactedPartitions: integer(0, 16),
  eagerMembers: integer(0, 64),
  cooperativeMembers: integer(0, 64),
  consumerMembers: integer(0, 64),
  sdkMembers: integer(0, 64),
  staticMembers: integer(0, 64),
  replicaLagMs: integer(1, DAY_S * 1000),
  lingerMs: integer(0, 60_000),
  produceTimeoutMs: integer(0, 60_000),
  firstSequence: integer(0, 2 ** 31 - 1),
  batchesPerEpoch: integer(0, 1_000_000),
  asksForEnds: truth,
  recordBytes: integer(0, 100_000),
  latencyMs: integer(1, 1_000),
  relaxedTabs: integer(0, 12),
  relaxedTopic: truth,
  snapshotRecords: integer(1, 1_000_000),
  relayedTabs: integer(0, 12),
  faults: listOf(fault, MOST_FAULTS),
});

/** The version is looked at first: in another one the other fields may mean something else. */
const savedRun: Field<SavedRun> = fields({
  version,
  seed: integer(0, Number.MAX_SAFE_INTEGER),
  seconds: integer(1, DAY_S),
  schedule,
});

/** Throws a UsageError that says which field it is, what it holds and what it may hold. */
export function parseSavedRun(text: string): SavedRun {
  return savedRun(JSON.parse(text), "");
}

export function savedRunText(run: Omit<SavedRun, "version">): string {
  return `${JSON.stringify({ version: SCHEDULE_VERSION, ...run }, undefined, 2)}\n`;
}

/** An object with exactly these fields, read in their order. */
function fields<T>(table: { readonly [K in keyof T]-?: Field<T[K]> }): Field<T> {
  const names = Object.keys(table) as (keyof T & string)[];
  return (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(path, value, "an object");
    const given = new Map(Object.entries(value));
    const parts = names.map((name) => {
      if (!given.has(name)) throw new UsageError(`${within(path, name)} is missing`);
      return [name, table[name](given.get(name), within(path, name))];
    });
    const extra = [...given.keys()].find((name) => !names.some((known) => known === name));
    if (extra !== undefined) {
      throw new UsageError(`${within(path, extra)} is not known; ${path || "a schedule file"} has ${names.join(", ")}`);
    }
    return Object.fromEntries(parts) as T;
  };
}

function listOf<T>(field: Field<T>, most: number): Field<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) refuse(path, value, "a list");
    if (value.length > most) throw new UsageError(`${path} has ${value.length} entries, of at most ${most}`);
    return value.map((entry, index) => field(entry, `${path}[${index}]`));
  };
}

function integer(least: number, most: number): Field<number> {
  return (value, path) => {
    if (Number.isInteger(value) && Number(value) >= least && Number(value) <= most) return Number(value);
    return refuse(path, value, `a whole number from ${least} to ${most}`);
  };
}

function oneOf<T extends string>(choices: readonly T[]): Field<T> {
  return (value, path) => choices.find((choice) => choice === value) ?? refuse(path, value, `one of ${choices.join(", ")}`);
}

function truth(value: unknown, path: string): boolean {
  return typeof value === "boolean" ? value : refuse(path, value, "true or false");
}

function version(value: unknown, path: string): typeof SCHEDULE_VERSION {
  if (value === SCHEDULE_VERSION) return SCHEDULE_VERSION;
  return refuse(path, value, `${SCHEDULE_VERSION}, the version of schedules that this commit runs`);
}

function refuse(path: string, value: unknown, wanted: string): never {
  const shown = JSON.stringify(value) ?? "nothing";
  const short = shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
  throw new UsageError(`${path || "the file"} is ${short}; it may be ${wanted}`);
}

function within(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
