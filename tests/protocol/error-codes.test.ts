import { createRequire } from "node:module";
import { expect, test } from "vitest";

import { errorCode, errorMessage, errorName, errorNames, isRetriable } from "../../src/protocol/error-codes.ts";

const { errorCodes } = createRequire(import.meta.url)("kafkajs/src/protocol/error") as {
  errorCodes: { type: string; code: number; retriable: boolean }[];
};

test("the codes are gapless and unique", () => {
  const codes = errorNames.map(errorCode);
  expect(codes).toEqual(Array.from(codes, (_, index) => index - 1));
  for (const name of errorNames) expect(errorName(errorCode(name))).toBe(name);
});

test("a code from a newer Kafka is an unknown server error", () => {
  expect(errorName(9999)).toBe("UNKNOWN_SERVER_ERROR");
  expect([errorCode("NONE"), errorCode("UNKNOWN_SERVER_ERROR")]).toEqual([0, -1]);
});

test("every error has a sentence", () => {
  for (const name of errorNames) expect(errorMessage(name)).toMatch(/^[A-Za-z].*\.$/);
});

/** What KafkaJS, which describes Kafka 2.x, calls otherwise than Kafka 4. */
const renamed = new Map([
  ["UNKNOWN", "UNKNOWN_SERVER_ERROR"],
  ["NOT_LEADER_FOR_PARTITION", "NOT_LEADER_OR_FOLLOWER"],
  ["GROUP_LOAD_IN_PROGRESS", "COORDINATOR_LOAD_IN_PROGRESS"],
  ["GROUP_COORDINATOR_NOT_AVAILABLE", "COORDINATOR_NOT_AVAILABLE"],
  ["NOT_COORDINATOR_FOR_GROUP", "NOT_COORDINATOR"],
]);

test("names and codes agree with KafkaJS", () => {
  expect(errorCodes.length).toBeGreaterThan(80);
  for (const { type, code } of errorCodes) expect([code, errorName(code)]).toEqual([code, renamed.get(type) ?? type]);
});

test("those errors are retriable that KafkaJS retries", () => {
  const differing = errorCodes.filter(({ code, retriable }) => isRetriable(errorName(code)) !== retriable);
  expect(differing).toEqual([]);
});
