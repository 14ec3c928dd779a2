import { expect, test } from "vitest";
import { readAddress, RefusedAddress, writeAddress } from "../../../src/demo/simulation/address.ts";

test("an address without parameters is the first seed, played from its start", () => {
  expect(readAddress("")).toEqual({ seed: 1, seconds: 40, atSeconds: undefined, speed: 1 });
});

test.each([
  "?seed=7&seconds=40&at=12.5",
  "?seed=0&seconds=1&at=0",
  "?seed=1000000000&seconds=3600&at=3720&speed=most",
  "?seed=3&seconds=40&speed=0.01",
])("%s is read and written back", (address) => {
  expect(writeAddress(readAddress(address))).toBe(address);
});

test("a moment is written to the microsecond", () => {
  const address = writeAddress({ seed: 1, seconds: 2, atSeconds: 1.2345678, speed: 1 });
  expect(address).toBe("?seed=1&seconds=2&at=1.234568");
  expect(readAddress(address).atSeconds).toBe(1.234568);
});

test.each([
  ["?seed=", "seed “”: give a whole number from 0 to 1,000,000,000"],
  ["?seed=12x", "seed “12x”: give a whole number from 0 to 1,000,000,000"],
  ["?seed=-1", "seed “-1”: "],
  ["?seed=1e3", "seed “1e3”: "],
  ["?seed=1000000001", "seed “1000000001”: "],
  [`?seed=${"9".repeat(5000)}`, `seed “${"9".repeat(40)}…”: `],
  ["?seconds=0", "seconds “0”: give a whole number from 1 to 3,600"],
  ["?seconds=3601", "seconds “3601”: "],
  ["?seconds=2.5", "seconds “2.5”: "],
  ["?at=161", "at “161”: give a number of seconds from 0 to 160"],
  ["?seconds=10&at=130.1", "at “130.1”: give a number of seconds from 0 to 130"],
  ["?at=-1", "at “-1”: "],
  ["?at=NaN", "at “NaN”: "],
  ["?at=1.1234567", "at “1.1234567”: "],
  ["?speed=3", "speed “3”: give one of 0.01, 0.02"],
  ["?speed=Infinity", "speed “Infinity”: "],
])("%s is refused", (address, message) => {
  expect(() => readAddress(address)).toThrow(RefusedAddress);
  expect(() => readAddress(address)).toThrow(message);
});
