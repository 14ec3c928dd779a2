import { expect, test } from "vitest";
import { parseSimulateArguments, UsageError } from "./simulate-arguments.ts";

test("a hundred seeds by default, and one if it is named", () => {
  expect(parseSimulateArguments([])).toEqual({ seeds: 100, firstSeed: 1, seconds: 40 });
  expect(parseSimulateArguments(["--seed", "77"])).toEqual({ seeds: 1, firstSeed: 77, seconds: 40 });
  expect(parseSimulateArguments(["--seeds", "5", "--seed", "0", "--seconds", "120"])).toEqual({
    seeds: 5,
    firstSeed: 0,
    seconds: 120,
  });
});

test.each([
  [["--seeds", "0"], "--seeds 0: give a whole number from 1 to 1000000000"],
  [["--seeds", "1e3"], "--seeds 1e3"],
  [["--seed", "-1"], "--seed"],
  [["--seconds", "soon"], "--seconds soon: give a whole number from 1 to 86400"],
  [["--speed", "9"], "--speed"],
  [["7"], "7"],
])("%j is refused by name", (args, message) => {
  expect(() => parseSimulateArguments(args)).toThrow(UsageError);
  expect(() => parseSimulateArguments(args)).toThrow(message);
});
