import type { Findings } from "./findings.ts";
import { Grouped } from "./grouped.ts";
import type { InternedHistory } from "./interned-history.ts";
import { FAILED, UNKNOWN } from "./outcome.ts";

/** A consumer in a group gets each value once, as long as what it did with the value was not undone. */
export function checkConsumeCounts(history: InternedHistory, findings: Findings): void {
  const { polls, sends, processes, partitions } = history;
  if (!polls.isSubscribed.includes(1)) return;
  const pollsOf = new Grouped(polls.process, polls.count, processes.count);
  /** By value: the poll that handed it to the process looked at. */
  const firstPoll = new Int32Array(sends.count).fill(-1);
  for (let process = 0; process < processes.count; process++) {
    for (const poll of pollsOf.of(process)) {
      if (polls.isSubscribed[poll] === 0 || isUndone(history, poll)) continue;
      const value = polls.value[poll]!;
      const first = firstPoll[value]!;
      if (first === -1 || polls.process[first] !== process) {
        firstPoll[value] = poll;
        continue;
      }
      const evidence = () => `${history.reader(poll)} consumed ${history.describePoll(poll)} more than once`;
      findings.add("consume-counts", partitions.name(polls.partition[poll]!), evidence, {
        transactions: isInTransaction(history, first) && isInTransaction(history, poll),
      });
    }
  }
}

function isUndone({ polls, transactions }: InternedHistory, poll: number): boolean {
  const outcome = transactions.outcome(polls.operation[poll]!);
  return outcome === FAILED || outcome === UNKNOWN;
}

function isInTransaction({ polls, transactions }: InternedHistory, poll: number): boolean {
  return transactions.isTransaction(polls.operation[poll]!);
}
