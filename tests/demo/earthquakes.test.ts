import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  decodeEarthquake,
  describeQuake,
  earthquakesOf,
  encodeEarthquake,
  regionOf,
} from "../../src/demo/earthquakes.ts";

const file = new URL("../../node_modules/vega-datasets/data/earthquakes.json", import.meta.url);
const quakes = earthquakesOf(JSON.parse(readFileSync(file, "utf8")));
const encode = (text: string) => new TextEncoder().encode(text);

describe("the data set", () => {
  test("holds a week of earthquakes, oldest first", () => {
    expect(quakes.length).toBe(1707);
    expect(quakes.every((quake, index) => index === 0 || quake.timeMs >= quakes[index - 1]!.timeMs)).toBe(true);
    expect(quakes.at(-1)!.timeMs - quakes[0]!.timeMs).toBeGreaterThan(6 * 86_400_000);
  });

  test("a quake is described in a line", () => {
    expect(describeQuake(quakes.at(-1)!)).toBe("7 Feb, 01:26 UTC · M 2.0 · 4km W of Castaic, CA");
  });

  test("a file of another kind is refused", () => {
    expect(() => earthquakesOf({ type: "Topology" })).toThrow("not a GeoJSON feature collection");
  });
});

describe("the key", () => {
  test.each([
    ["4km W of Castaic, CA", "California"],
    ["8km NNW of Parkfield, California", "California"],
    ["22km NNE of Hualien, Taiwan", "Taiwan"],
    ["Off the east coast of the North Island of New Zealand", "Off the east coast of the North Island of New Zealand"],
  ])("%s belongs to %s", (place, region) => expect(regionOf(place)).toBe(region));
});

describe("records", () => {
  test("every quake survives its record", () => {
    for (const quake of quakes) expect(decodeEarthquake(encode(encodeEarthquake(quake)))).toEqual(quake);
  });

  test.each([
    ["no JSON", "{"],
    ["no object", "null"],
    ["no numbers", JSON.stringify({ ...quakes[0], longitude: "12" })],
    ["an impossible magnitude", JSON.stringify({ ...quakes[0], magnitude: 1e9 })],
    ["far too long", JSON.stringify({ ...quakes[0], place: "x".repeat(3000) })],
  ])("a value that is %s is no earthquake", (_, value) => expect(decodeEarthquake(encode(value))).toBeUndefined());

  test("neither is a tombstone", () => expect(decodeEarthquake(null)).toBeUndefined());
});
