/**
 * States that a campaign has to reach, each with the number of seeds of 40 virtual seconds that are enough to demand it:
 * a simulation that never gets there proves nothing about it.
 */
export const requiredMarks: ReadonlyMap<string, number> = new Map([
  ["failover", 20],
  ["uncommitted tail at election", 50],
  ["refused storage", 50],
  ["broker fenced itself", 20],
]);
