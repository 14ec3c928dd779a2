import type { AnomalyClass } from "./anomaly.ts";
import type { Findings } from "./findings.ts";
import type { InternedHistory } from "./interned-history.ts";
import { FAILED } from "./outcome.ts";

/** What is read was sent as it is, did not fail, and is not of the transaction that reads it. */
export function checkReads(history: InternedHistory, findings: Findings): void {
  const { sends, polls, transactions, fate } = history;
  for (let poll = 0; poll < polls.count; poll++) {
    const value = polls.value[poll]!;
    if (sends.process[value] === -1) {
      report(history, poll, "unsent", "was never sent there", findings);
      continue;
    }
    if (fate[sends.origin[value]!] === FAILED) {
      report(history, poll, "failed-read", `${sends.processName(value)} was told had failed`, findings);
    }
    const operation = polls.operation[poll]!;
    if (operation !== -1 && operation === sends.operation[value] && transactions.isTransaction(operation)) {
      const name = transactions.operations.name(operation);
      report(history, poll, "precommitted-read", `it sent in the same transaction ${name}`, findings);
    }
    if (sends.content(value) === history.poll(poll).content) continue;
    report(history, poll, "corrupt", "has other bytes than were sent", findings);
  }
}

function report(history: InternedHistory, poll: number, kind: AnomalyClass, what: string, findings: Findings): void {
  const { polls, partitions } = history;
  const evidence = () => `${history.reader(poll)} read ${history.describePoll(poll)}, which ${what}`;
  findings.add(kind, partitions.name(polls.partition[poll]!), evidence, {
    isolation: polls.isUncommitted[poll] === 1 ? "read_uncommitted" : "read_committed",
    transactions: history.isTransactional(polls.value[poll]!),
  });
}
