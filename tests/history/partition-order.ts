import type { PollEvent } from "./history.ts";
import type { Send } from "./sends.ts";

/** What is known about one partition's log, from acknowledgements and reads together. */
export interface PartitionOrder {
  readonly partition: string;
  /** In a sound log each of these sets has one member. */
  readonly valuesAt: ReadonlyMap<number, ReadonlySet<string>>;
  /** Ascending. In a sound log each value has one offset. */
  readonly offsetsOf: ReadonlyMap<string, readonly number[]>;
  /** Counts the known offsets upwards from 0, so that offsets without a record are no gaps. */
  readonly indexOf: ReadonlyMap<number, number>;
}

export function orderPartitions(sends: Iterable<Send>, polls: readonly PollEvent[]): Map<string, PartitionOrder> {
  const placed = new Map<string, Map<number, Set<string>>>();
  const place = (partition: string, offset: number, value: string) => {
    const offsets = placed.get(partition) ?? new Map<number, Set<string>>();
    placed.set(partition, offsets);
    offsets.set(offset, (offsets.get(offset) ?? new Set()).add(value));
  };
  for (const { partition, offset, value } of sends) if (offset !== undefined) place(partition, offset, value);
  for (const { partition, offset, value } of polls) place(partition, offset, value);
  return new Map([...placed].map(([partition, valuesAt]) => [partition, order(partition, valuesAt)]));
}

function order(partition: string, valuesAt: ReadonlyMap<number, ReadonlySet<string>>): PartitionOrder {
  const offsets = [...valuesAt.keys()].sort((a, b) => a - b);
  const offsetsOf = new Map<string, number[]>();
  for (const offset of offsets) {
    for (const value of valuesAt.get(offset) ?? []) {
      const known = offsetsOf.get(value);
      if (known === undefined) offsetsOf.set(value, [offset]);
      else known.push(offset);
    }
  }
  return { partition, valuesAt, offsetsOf, indexOf: new Map(offsets.map((offset, index) => [offset, index])) };
}
