import type { Findings } from "./findings.ts";
import type { InternedHistory } from "./interned-history.ts";
import { OK } from "./outcome.ts";
import type { PartitionOrder } from "./partition-order.ts";
import type { Settings } from "./permissions.ts";

const OF_ONE_LEADER: Partial<Settings> = { acks: "leader" };
const OF_ALL: Partial<Settings> = { acks: "all" };

/** What was acknowledged, but never read although reading went beyond it, is lost. */
export function checkLost(history: InternedHistory, order: PartitionOrder, findings: Findings): void {
  const { sends, fate, isRead, partitions, trimmedTo } = history;
  const readUpTo = new Float64Array(partitions.count).fill(-1);
  for (let value = 0; value < sends.count; value++) {
    if (isRead[value] === 0) continue;
    const partition = sends.partition[value]!;
    readUpTo[partition] = Math.max(readUpTo[partition]!, order.offset[value]!);
  }
  for (let value = 0; value < sends.count; value++) {
    const offset = sends.ackedOffset[value]!;
    if (offset === -1 || fate[value] !== OK || isRead[value] === 1) continue;
    const partition = sends.partition[value]!;
    const limit = readUpTo[partition]!;
    if (offset > limit || offset < trimmedTo[partition]!) continue;
    const evidence = () =>
      `${sends.name(value)} of ${sends.processName(value)}, acknowledged at offset ${offset}, was never read, ` +
      `but offset ${limit} was`;
    findings.add("lost-write", partitions.name(partition), evidence, acksOf(history, value));
  }
}

/** A record that a consumer saw once must not vanish either, whoever saw it and whatever its producer was told. */
export function checkUnseen(
  history: InternedHistory,
  order: PartitionOrder,
  finalReaders: readonly string[],
  findings: Findings,
): void {
  const { sends, polls, processes, fate, isRead } = history;
  const readers = finalReaders.map((name) => processes.find(name) ?? -1);
  /** By value: the bits of those final readers that read it, for 31 of them at a time. */
  const seenBy = new Int32Array(sends.count);
  for (let first = 0; first < readers.length; first += 31) {
    const some = readers.slice(first, first + 31);
    const bitOf = new Int32Array(processes.count);
    some.forEach((process, at) => process === -1 || (bitOf[process] = 1 << at));
    seenBy.fill(0);
    for (let poll = 0; poll < polls.count; poll++) seenBy[polls.value[poll]!]! |= bitOf[polls.process[poll]!]!;
    const all = (1 << some.length) - 1;
    for (let value = 0; value < sends.count; value++) {
      if (seenBy[value] === all || (isRead[value] === 0 && fate[value] !== OK)) continue;
      if (isTrimmed(history, order, value)) continue;
      some.forEach((_, at) => {
        if ((seenBy[value]! & (1 << at)) === 0) missed(history, order, value, finalReaders[first + at]!, findings);
      });
    }
  }
}

function missed(
  history: InternedHistory,
  order: PartitionOrder,
  value: number,
  reader: string,
  findings: Findings,
): void {
  const { sends, isRead } = history;
  const evidence = () => {
    const offset = order.offset[value]!;
    const where = offset === -1 ? "" : ` at offset ${offset}`;
    const why = isRead[value] === 1 ? "read by another" : `acknowledged to ${sends.processName(value)}`;
    return `${sends.name(value)}${where}, ${why}, was not read by ${reader}`;
  };
  const circumstances = isRead[value] === 1 ? OF_ALL : acksOf(history, value);
  findings.add("unseen", sends.partitionName(value), evidence, circumstances);
}

/** A record whose offset nobody knows may be gone rightly, if its partition was ever trimmed. */
function isTrimmed({ sends, trimmedTo }: InternedHistory, order: PartitionOrder, value: number): boolean {
  const trim = trimmedTo[sends.partition[value]!]!;
  if (trim === 0) return false;
  const known = order.offset[value]!;
  return (known === -1 ? sends.ackedOffset[value]! : known) < trim;
}

/** A consumer sees only what all in-sync replicas have, so a record that was read is as safe as with acks=all. */
function acksOf({ sends }: InternedHistory, value: number): Partial<Settings> {
  return sends.isOfLeader[value] === 1 ? OF_ONE_LEADER : OF_ALL;
}
