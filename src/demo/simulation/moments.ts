/** A moment or a span of virtual time, for people: to the millisecond, which is what frames and disks take. */
export function seconds(timeUs: number): string {
  return `${(timeUs / 1e6).toFixed(3)} s`;
}
