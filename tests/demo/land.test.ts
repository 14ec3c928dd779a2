import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { landOf } from "../../src/demo/land.ts";
import type { Topology } from "../../src/demo/land.ts";

const transform = { scale: [1, 1], translate: [-180, -90] } as const;

test("arcs are summed up, scaled, and joined without repeating their common point", () => {
  const arcs = [
    [
      [180, 90],
      [10, 0],
    ],
    [
      [190, 90],
      [0, 10],
      [-10, -10],
    ],
  ] as const;
  const topology: Topology = { transform, arcs, objects: { land: { arcs: [[[0, 1]]] } } };
  expect(landOf(topology)).toEqual([
    [
      [0, 0],
      [10, 0],
      [10, 10],
      [0, 0],
    ],
  ]);
});

test("a negative index reads an arc backwards", () => {
  const topology: Topology = {
    transform,
    arcs: [
      [
        [180, 90],
        [10, 5],
      ],
    ],
    objects: { land: { arcs: [[[~0]]] } },
  };
  expect(landOf(topology)).toEqual([
    [
      [10, 5],
      [0, 0],
    ],
  ]);
});

test("an outline over the date line runs on past 180 degrees", () => {
  const topology: Topology = {
    transform,
    arcs: [
      [
        [355, 90],
        [-350, 0],
      ],
    ],
    objects: { land: { arcs: [[[0]]] } },
  };
  expect(landOf(topology)).toEqual([
    [
      [175, 0],
      [185, 0],
    ],
  ]);
});

test("the world of the data set is on the globe", () => {
  const file = new URL("../../node_modules/vega-datasets/data/world-110m.json", import.meta.url);
  const land = landOf(JSON.parse(readFileSync(file, "utf8")) as Topology);
  expect(land.length).toBeGreaterThan(100);
  for (const [longitude, latitude] of land.flat()) {
    expect(Math.abs(longitude)).toBeLessThanOrEqual(540);
    expect(Math.abs(latitude)).toBeLessThanOrEqual(90);
  }
});
