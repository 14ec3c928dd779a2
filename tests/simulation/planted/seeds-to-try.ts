import { seedOf } from "../schedule.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** So many seeds, none twice: those of the bug's scripts in turn, each followed by the next of all others. */
export function seedsToTry({ scripts = [] }: Pick<PlantedBug, "scripts">, count: number): number[] {
  const tried = new Set<number>();
  let next = 1;
  for (let turn = 0; tried.size < count; turn++) {
    const script = scripts[turn % scripts.length];
    if (script !== undefined) tried.add(seedOf(script, Math.floor(turn / scripts.length)));
    while (tried.has(next)) next++;
    tried.add(next);
  }
  return [...tried].slice(0, count);
}
