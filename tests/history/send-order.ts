import type { Findings } from "./findings.ts";
import type { InternedHistory } from "./interned-history.ts";
import type { PartitionOrder } from "./partition-order.ts";

/** What one producer sends to one partition lands in that order, and what it sends in one operation, close together. */
export function checkSendOrder(history: InternedHistory, order: PartitionOrder, findings: Findings): void {
  const { sends, partitions, transactions } = history;
  /** By producer and partition: of its records so far, the one that lies furthest back in the log, and the last one. */
  const furthest = new Map<number, number>();
  const latest = new Map<number, number>();
  for (const value of inOrderOfInvocation(history)) {
    if (order.place[value] === -1 || sends.process[value] === -1) continue;
    const key = sends.process[value]! * partitions.count + sends.partition[value]!;
    const earlier = furthest.get(key);
    if (earlier === undefined || order.offset[earlier]! < order.offset[value]!) furthest.set(key, value);
    else {
      const evidence = () => describe(history, order, earlier, value);
      const kind = isSameOperation(history, earlier, value) ? "int-nonmonotonic-send" : "nonmonotonic-send";
      findings.add(kind, sends.partitionName(value), evidence);
    }
    if (sends.operation[value] === -1) continue;
    const last = latest.get(key);
    latest.set(key, value);
    if (last === undefined || !isSameOperation(history, last, value)) continue;
    const between = order.place[value]! - order.place[last]! - 1;
    if (between <= 0) continue;
    const evidence = () => {
      const name = transactions.operations.name(sends.operation[value]!);
      return `${describe(history, order, last, value)}, both in ${name}, with ${between} between them`;
    };
    findings.add("int-send-skip", sends.partitionName(value), evidence);
  }
}

/** Values are numbered in this order, but for those that ended up in the next life of their topic. */
function inOrderOfInvocation({ sends }: InternedHistory): Int32Array {
  const { origin } = sends;
  const values = Int32Array.from({ length: sends.count }, (_, value) => value);
  const isInOrder = values.every((value) => origin[value] === value);
  return isInOrder ? values : values.sort((one, other) => origin[one]! - origin[other]!);
}

function isSameOperation({ sends }: InternedHistory, one: number, other: number): boolean {
  return sends.operation[one] !== -1 && sends.operation[one] === sends.operation[other];
}

function describe({ sends }: InternedHistory, order: PartitionOrder, earlier: number, later: number): string {
  const at = (value: number) => `${sends.name(value)}, at ${order.offset[value]}`;
  return `${sends.processName(later)} sent ${at(earlier)}, before ${at(later)}`;
}
