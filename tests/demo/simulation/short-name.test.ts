import { expect, test } from "vitest";
import { shortName } from "../../../src/demo/simulation/short-name.ts";

test.each([
  ["producer-0", "producer 0"],
  ["consumer-member-3", "…member 3"],
  ["a-very-long-name-12", "…name 12"],
  ["unbreakably-endlessname17", "…dlessname17"],
])("%s is shown as %s", (name, shown) => {
  expect(shortName(name)).toBe(shown);
  expect(shown.length).toBeLessThanOrEqual(12);
});
