import { describe, expect, test } from "vitest";
import { advertisedApiKeys, apis } from "../../src/protocol/apis/registry.ts";

/**
 * What common clients need of the ranges that ApiVersions answers. None of this shows in one client's tests alone: a
 * range that is raised for the sake of one loses another, often without a word of complaint.
 */
const offered = new Map(advertisedApiKeys.map(({ apiKey, ...range }) => [apiKey, range]));

function isOffered(key: number, version: number): boolean {
  const range = offered.get(key);
  return range !== undefined && range.minVersion <= version && version <= range.maxVersion;
}

/** Whether requests of that version are also answered. */
function isServed(key: number, version: number): boolean {
  const [least, most] = apis.get(key)?.versions ?? [0, -1];
  return least <= version && version <= most;
}

function missing(wanted: readonly (readonly [key: number, version: number])[], has: typeof isOffered): string[] {
  return wanted.filter(([key, version]) => !has(key, version)).map(([key, version]) => `${key} v${version}`);
}

describe("librdkafka before 2.11.1 takes a feature for there if one exact version is", () => {
  test.each([
    ["records of today's format, else it falls back to those of before 2017", [[0, 3], [1, 4]]],
    ["compression, which it looks for in Produce version 0", [[0, 0]]],
    ["groups and LZ4", [[10, 0]]],
    ["offsets by time", [[2, 1]]],
    ["zstd", [[0, 7], [1, 10]]],
    ["idempotent producers", [[22, 0]]],
    ["group membership", [[11, 0], [12, 0], [13, 0], [14, 0], [8, 2], [9, 1]]],
  ] as const)("%s", (_what, wanted) => {
    expect(missing(wanted, isOffered)).toEqual([]);
  });
});

test("librdkafka stays with low versions even today, and they are served", () => {
  expect(missing([[13, 1], [11, 5], [19, 4], [32, 1], [23, 2], [68, 1], [16, 4]], isServed)).toEqual([]);
});

test("KafkaJS looks at the highest version alone, and takes its own highest if that is lower", () => {
  const own: readonly (readonly [number, number])[] = [
    [0, 7], [1, 11], [2, 3], [3, 6], [8, 5], [9, 4], [10, 2], [11, 5], [12, 3], [13, 3], [14, 3], [15, 2], [16, 2],
    [18, 2], [19, 3], [20, 1], [21, 1], [22, 1], [32, 2], [33, 1], [37, 1], [42, 1], [45, 0], [46, 0],
  ];
  const used = own.map(([key, highest]) => [key, Math.min(highest, offered.get(key)?.maxVersion ?? -1)] as const);
  expect(used).toEqual(own);
  expect(missing(used, isServed)).toEqual([]);
});

test("@platformatic/kafka has no version below these", () => {
  const floors: readonly (readonly [number, number])[] = [
    [1, 12], [3, 9], [8, 8], [9, 8], [11, 6], [12, 4], [15, 5], [18, 3], [19, 7], [20, 6], [21, 2], [23, 4],
  ];
  expect(missing(floors, isServed)).toEqual([]);
});

test("Java's client checks positions and reads stable offsets only from these on", () => {
  expect(missing([[23, 3], [9, 7], [9, 8], [18, 3], [1, 13], [3, 10]], isServed)).toEqual([]);
});

test("every version that is offered is served, but for Produce below 3", () => {
  const promised = [...offered].flatMap(([key, { minVersion, maxVersion }]) =>
    Array.from({ length: maxVersion - minVersion + 1 }, (_, index) => [key, minVersion + index] as const),
  );
  expect(missing(promised, isServed)).toEqual(["0 v0", "0 v1", "0 v2"]);
});

test("what would lead a client astray is not offered", () => {
  // Transactions of the second version, topic ids in Produce, and the batched form of AddPartitionsToTxn.
  for (const [key, version] of [[0, 12], [24, 4], [26, 5], [28, 5]] as const) {
    expect(`${key} v${version}: ${isOffered(key, version)}`).toBe(`${key} v${version}: false`);
  }
  // SASL without a way to log in, telemetry, and what is between brokers and the controller.
  for (const key of [17, 36, 71, 72, 4, 5, 6, 7, 52, 53, 54, 56, 58, 59, 62, 63, 67]) {
    expect(`${key}: ${offered.has(key)}`).toBe(`${key}: false`);
  }
});
