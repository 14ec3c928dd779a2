import { expect, test } from "vitest";
import { checkHistory } from "./check-history.ts";
import { mutations } from "./mutations.ts";
import { randomHistory, randomIntegers } from "./random-history.ts";

const LEGAL = 10_000;
const MUTATED = 500;
const options = { finalReaders: ["final"] };

const toMutate = Array.from({ length: MUTATED }, (_, seed) => randomHistory(seed, 100));

test(`${LEGAL} random legal histories pass`, { timeout: 60_000 }, () => {
  for (let seed = 0; seed < LEGAL; seed++) {
    const { anomalies } = checkHistory(randomHistory(seed, 20 + (seed % 60)), options);
    if (anomalies.length > 0) expect(anomalies, `seed ${seed}`).toEqual([]);
  }
});

test.each(Object.entries(mutations))("caught: %s", (_, { mutate, oneOf }) => {
  const missed: string[] = [];
  let planted = 0;
  for (const [seed, history] of toMutate.entries()) {
    const mutated = mutate(history, randomIntegers(seed + 1));
    if (mutated === undefined) continue;
    planted++;
    const { classes } = checkHistory(mutated, options);
    if (oneOf.every((kind) => classes[kind].denied === 0)) missed.push(`seed ${seed}`);
  }
  expect(planted).toBeGreaterThan(MUTATED / 20);
  expect(missed.slice(0, 10).concat(`${missed.length}`), `of ${planted}`).toEqual(["0"]);
});
