import { expect, test } from "vitest";
import { parseBenchArguments, UsageError } from "./bench-arguments.ts";

const KNOWN = ["raw", "produce"];

test("all scenarios run by default", () => {
  const parsed = parseBenchArguments([], KNOWN);
  expect(parsed).toEqual({ mode: "run", scenarios: KNOWN, json: undefined, rounds: 5, minutes: 1 });
});

test("scenarios are chosen by name, more than one if wanted", () => {
  const args = ["--scenario", "produce", "--scenario", "raw", "--json", "out.json", "--rounds", "3", "--minutes", "10"];
  const wanted = { mode: "run", scenarios: ["produce", "raw"], json: "out.json", rounds: 3, minutes: 10 };
  expect(parseBenchArguments(args, KNOWN)).toEqual(wanted);
});

test("two files are compared", () => {
  expect(parseBenchArguments(["--compare", "a", "b"], KNOWN)).toEqual({ mode: "compare", files: ["a", "b"] });
});

test.each([
  [["--scenario", "consume"]],
  [["raw"]],
  [["--compare", "a"]],
  [["--compare", "a", "b", "c"]],
  [["--compare", "a", "b", "--json", "c"]],
  [["--rounds", "1.5"]],
  [["--minutes", "0"]],
  [["--minutes", "soon"]],
  [["--fast"]],
])("%j is refused with a reason", (args) => {
  expect(() => parseBenchArguments(args, KNOWN)).toThrow(UsageError);
});
