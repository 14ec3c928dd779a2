import type { Findings } from "./findings.ts";
import type { InternedHistory } from "./interned-history.ts";
import type { PartitionOrder } from "./partition-order.ts";

/** Every offset holds one value, and every value sits at one offset. */
export function checkPlaces({ sends }: InternedHistory, order: PartitionOrder, findings: Findings): void {
  for (const [place, values] of order.contested) {
    const names = values.map((value) => sends.name(value));
    const evidence = () => `offset ${order.offsetAt(place)} holds ${names.join(" and ")}`;
    findings.add("inconsistent-offsets", sends.partitionName(values[0]!), evidence);
  }
  for (const [value, offsets] of order.scattered) {
    const evidence = () => `${sends.name(value)} is at the offsets ${offsets.join(" and ")}`;
    findings.add("duplicate", sends.partitionName(value), evidence);
  }
}
