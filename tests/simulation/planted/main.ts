import { withPlanted } from "./plant.ts";
import { plantedBugs } from "./planted-bugs.ts";

/** `tsx tests/simulation/planted/main.ts [seeds] [name…]`: which seed finds which planted bug, by which rule. */
async function main(): Promise<void> {
  const [seeds = "100", ...names] = process.argv.slice(2);
  if (!/^[1-9]\d*$/.test(seeds)) {
    console.error(`${seeds}: give the number of seeds to try, then names of planted bugs, or none for all`);
    process.exit(2);
  }
  const chosen = plantedBugs.filter(({ name }) => names.length === 0 || names.includes(name));
  let found = 0;
  console.log("| planted bug | breaks | seed | found as |\n|---|---|---|---|");
  for (const bug of chosen) {
    const [seed, rule] = await withPlanted(bug, async (simulate) => {
      for (let candidate = 1; candidate <= Number(seeds); candidate++) {
        const { violation } = await simulate(candidate, { seconds: 40 });
        if (violation !== undefined) return [candidate, violation.rule] as const;
      }
      return ["none", `not within ${seeds} seeds`] as const;
    });
    if (seed !== "none") found++;
    console.log(`| ${bug.name} | ${bug.breaks} | ${seed} | ${rule} |`);
  }
  console.log(`${found} of ${chosen.length} planted bugs found`);
  process.exitCode = found === chosen.length && found > 0 ? 0 : 1;
}

await main();
