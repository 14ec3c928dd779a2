/** Virtual seconds that pass in a second, or as many as the machine can run. */
export type Speed = number | "most";

export const SPEEDS: readonly Speed[] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, "most"];

export function describeSpeed(speed: Speed): string {
  return speed === "most" ? "as fast as possible" : `${speed}×`;
}
