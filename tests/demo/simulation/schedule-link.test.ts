import { deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import { RefusedAddress } from "../../../src/demo/simulation/address.ts";
import { packSchedule, unpackSchedule } from "../../../src/demo/simulation/schedule-link.ts";
import { savedRunText } from "../../simulation/saved-run.ts";
import { drawSchedule } from "../../simulation/schedule.ts";

const run = { seed: 3, seconds: 60, schedule: drawSchedule(3, 60) };

const packed = (bytes: Uint8Array | string) => `schedule=${Buffer.from(deflateRawSync(bytes)).toString("base64url")}`;

test("a saved run travels in an address", async () => {
  const fragment = await packSchedule(savedRunText(run));
  expect(fragment).toMatch(/^schedule=[\w-]+$/);
  expect(await unpackSchedule(fragment)).toMatchObject(run);
});

test.each([
  ["seed=3", "it does not begin with schedule="],
  ["schedule=*", "is no schedule"],
  ["schedule=AAAA", "is no schedule"],
  [packed("{}"), "version is missing"],
  [packed(new Uint8Array([0xff, 0xfe])), "is no schedule"],
  [packed(savedRunText({ ...run, seconds: 3_601 })), "seconds is 3601, of at most 3600 here"],
  [packed(" ".repeat(50_000_000)), "it stands for more than 1048576 bytes"],
  [`schedule=${"A".repeat(400_001)}`, "of at most 400000"],
])("%.40s is refused", async (fragment, message) => {
  await expect(unpackSchedule(fragment)).rejects.toThrow(RefusedAddress);
  await expect(unpackSchedule(fragment)).rejects.toThrow(message);
});
