import { expect, test } from "vitest";
import { parseSimulateArguments } from "./simulate-arguments.ts";
import { UsageError } from "./usage-error.ts";

const parse = (...args: string[]) => parseSimulateArguments(args, 8);

test("a hundred seeds by default, and one if it is named", () => {
  expect(parse()).toMatchObject({ seeds: 100, firstSeed: 1, seconds: 40, workers: 8, marks: false, speed: false });
  expect(parse("--seed", "77")).toMatchObject({ seeds: 1, firstSeed: 77, seconds: 40 });
  expect(parse("--seeds", "5", "--seed", "0", "--seconds", "120")).toMatchObject({
    seeds: 5,
    firstSeed: 0,
    seconds: 120,
  });
  expect(parse("--speed")).toMatchObject({ seeds: 40, speed: true });
});

test("files and workers are named", () => {
  const args = ["--workers", "2", "--json", "a.json", "--save", "b", "--marks"];
  expect(parse(...args)).toMatchObject({ workers: 2, json: "a.json", save: "b", marks: true });
  expect(parse("--schedule", "c.json").schedule).toBe("c.json");
});

test.each([
  [["--seeds", "0"], "--seeds 0: give a whole number from 1 to 1000000"],
  [["--seeds", "1e3"], "--seeds 1e3"],
  [["--seed", "-1"], "--seed"],
  [["--seconds", "2"], "--seconds 2: give a whole number from 3 to 86400"],
  [["--seconds", "soon"], "--seconds soon: give a whole number from 3 to 86400"],
  [["--workers", "0"], "--workers 0: give a whole number from 1 to 1024"],
  [["--sped"], "--sped"],
  [["7"], "7"],
  [["--schedule"], "--schedule"],
  [["--schedule", "a.json", "--seed", "4"], "--seed does not go with --schedule: the file says what to run"],
  [["--speed", "--save", "dir"], "--save does not go with --speed"],
])("%j is refused by name", (args, message) => {
  expect(() => parse(...args)).toThrow(UsageError);
  expect(() => parse(...args)).toThrow(message);
});
