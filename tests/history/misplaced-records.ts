import type { Findings } from "./findings.ts";
import type { InternedHistory } from "./interned-history.ts";
import type { PartitionOrder } from "./partition-order.ts";

/** Every offset holds one value, and every value sits at one offset. */
export function checkPlaces(history: InternedHistory, order: PartitionOrder, findings: Findings): void {
  const { sends } = history;
  for (const [place, values] of order.contested) {
    const offset = order.offsetAt(place);
    const evidence = () => {
      return `offset ${offset} holds ${values.map((value) => describeSightings(history, value)).join(" and ")}`;
    };
    findings.add("inconsistent-offsets", sends.partitionName(values[0]!), evidence);
  }
  for (const [value, offsets] of order.scattered) {
    const evidence = () => `${describeSightings(history, value)} is at the offsets ${offsets.join(" and ")}`;
    findings.add("duplicate", sends.partitionName(value), evidence);
  }
}

/** For example `a1 of a (acknowledged at 0, read at 1 by c and final)`. */
function describeSightings({ sends, polls, processes }: InternedHistory, value: number): string {
  const readers = new Map<number, Set<string>>();
  for (let poll = 0; poll < polls.count; poll++) {
    if (polls.value[poll] !== value) continue;
    const offset = polls.offset[poll]!;
    readers.set(offset, (readers.get(offset) ?? new Set()).add(processes.name(polls.process[poll]!)));
  }
  const reads = [...readers].map(([offset, names]) => `read at ${offset} by ${[...names].join(" and ")}`);
  const acked = sends.ackedOffset[value]!;
  const sightings = acked === -1 ? reads : [`acknowledged at ${acked}`, ...reads];
  const producer = sends.process[value] === -1 ? "" : ` of ${sends.processName(value)}`;
  return `${sends.name(value)}${producer} (${sightings.join(", ")})`;
}
