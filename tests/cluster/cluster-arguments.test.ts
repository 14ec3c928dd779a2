import { expect, test } from "vitest";
import { parseClusterArguments } from "./cluster-arguments.ts";

test("without flags there are three tabs on port 8080, each with a temporary profile", () => {
  expect(parseClusterArguments([])).toEqual({ tabs: 3, port: 8080, oneProfile: false, dataDir: undefined });
});

test("every flag is understood", () => {
  const args = ["--tabs", "5", "--port=9000", "--kafka-port", "9092", "--one-profile", "--data-dir", "kept"];
  expect(parseClusterArguments(args)).toEqual({
    tabs: 5,
    port: 9000,
    kafkaPort: 9092,
    oneProfile: true,
    dataDir: "kept",
  });
});

test.each([
  [["--tabs", "0"], "--tabs 0: give a whole number from 1 to 16"],
  [["--tabs", "17"], "--tabs 17"],
  [["--tabs", "three"], "--tabs three"],
  [["--tabs", "1e1"], "--tabs 1e1"],
  [["--tabs"], "--tabs"],
  [["--port", "65536"], "--port 65536: give a whole number from 1 to 65535"],
  [["--port", "-1"], "--port"],
  [["--kafka-port", "0"], "--kafka-port 0: give a whole number from 1 to 65000"],
  [["--tab", "3"], "--tab"],
  [["extra"], "extra"],
])("%j is refused with a reason", (args, message) => {
  expect(() => parseClusterArguments(args)).toThrow(message);
});
