import type { InternedHistory } from "./interned-history.ts";
import { FAILED, OK } from "./outcome.ts";

export interface OutcomeCounts {
  readonly sent: number;
  readonly acknowledged: number;
  readonly failed: number;
  readonly unknown: number;
  readonly read: number;
}

/** How many values were sent and what became of them, and how many distinct ones were read. */
export function countOutcomes({ sends, polls, fate }: InternedHistory): OutcomeCounts {
  const isRead = new Uint8Array(sends.count);
  for (let poll = 0; poll < polls.count; poll++) isRead[polls.value[poll]!] = 1;
  let [sent, acknowledged, failed, read] = [0, 0, 0, 0];
  for (let value = 0; value < sends.count; value++) {
    read += isRead[value]!;
    if (sends.process[value] === -1) continue;
    if (sends.origin[value] === value) sent++;
    if (fate[value] === OK) acknowledged++;
    else if (fate[value] === FAILED && sends.origin[value] === value) failed++;
  }
  return { sent, acknowledged, failed, unknown: sent - acknowledged - failed, read };
}
