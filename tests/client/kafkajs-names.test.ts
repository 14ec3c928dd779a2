import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import * as tabstream from "../../src/index.ts";

const require = createRequire(import.meta.url);
const kafkajs = require("kafkajs") as Record<string, unknown>;
const ours: Record<string, unknown> = { ...tabstream };

type ErrorClass = new (...args: never) => Error;

function isErrorClass(value: unknown): value is ErrorClass {
  return typeof value === "function" && value.prototype instanceof Error;
}

test("what a program imports from KafkaJS can be imported from here", () => {
  const types = readFileSync(require.resolve("kafkajs/types/index.d.ts"), "utf8");
  const typed = [...types.matchAll(/^export (?:class|enum|const|function) (\w+)/gm)].map(([, name]) => name!);
  expect(typed).toContain("AclResourceTypes");
  expect(Object.keys(kafkajs)).toContain("KafkaJSLockTimeout");
  expect([...typed, ...Object.keys(kafkajs)].filter((name) => !(name in ours))).toEqual([]);
});

test("numbers that have names in KafkaJS have the same names and numbers here", () => {
  const isNumber = (value: unknown) => typeof value === "number";
  const enums = Object.entries(kafkajs).filter(([, value]) => Object.values(value as object).every(isNumber));
  const named = enums.filter(([, value]) => Object.keys(value as object).length > 0);
  expect(named.map(([name]) => name)).toContain("AclOperationTypes");
  for (const [name, value] of named) expect(ours[name], name).toEqual(value);
});

test("every error class of KafkaJS is one here, so that `instanceof` can be asked", () => {
  const classes = Object.entries(kafkajs).filter(([, value]) => isErrorClass(value)) as [string, ErrorClass][];
  expect(classes.length).toBe(31);
  for (const [name] of classes) expect(isErrorClass(ours[name]), name).toBe(true);
});
