import type { Chance } from "../../src/platform/simulated/chance.ts";
import type { Schedule } from "./schedule.ts";

/** Makes the drawn cluster live through its script. */
export type Script = (drawn: Schedule, chance: Chance, seconds: number) => Schedule;

export const scriptedSchedules: ReadonlyMap<string, Script> = new Map([["quiet", (drawn: Schedule) => drawn]]);
