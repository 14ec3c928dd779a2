import { partitionKey } from "../../src/log/stored-log.ts";
import type { Partition } from "../../src/metadata/partition.ts";
import type { SimulatedTab } from "../../src/platform/simulated/simulated-tab.ts";
import { ViolationFound } from "./recorder.ts";
import type { PartitionNames } from "./topics.ts";
import type { Truth } from "./truth.ts";

/** What those who watch the cluster look at, and whom they tell. */
export interface OracleContext {
  readonly truth: Truth;
  readonly names: PartitionNames;
  readonly tabs: readonly SimulatedTab[];
  /** A tab whose storage was tampered with and that has not registered since: what it held no longer counts. */
  isDamaged(tab: SimulatedTab): boolean;
  nowUs(): number;
  /** What waited at one end of a connection at worst. */
  mostQueuedBytes(): number;
  mark(name: string): void;
  /** A leader has removed what is below the offset, by retention. */
  trimmed(partition: string, offset: number): void;
}

export function fail(rule: string, evidence: string): never {
  throw new ViolationFound({ rule, evidence });
}

/**
 * Whoever may be elected holds everything that was committed: each member of the ISR and the ELR whose storage is what it
 * was (leader candidate completeness). The disk is asked, so that the broker's page need not be there.
 */
export function expectComplete(context: OracleContext, partition: Partition, endOffset: number, when: string): void {
  const { topicId, partitionIndex, isr, eligibleLeaderReplicas } = partition;
  for (const tab of context.tabs) {
    const { identity, logs } = tab.storage.image;
    const isCandidate = isr.includes(identity.brokerId) || eligibleLeaderReplicas.includes(identity.brokerId);
    if (!isCandidate || context.isDamaged(tab)) continue;
    const end = logs.endOffset(partitionKey(topicId, partitionIndex));
    if (end >= endOffset) continue;
    const label = context.names.labelOf(topicId, partitionIndex);
    const place = isr.includes(identity.brokerId) ? "in the ISR" : "in the ELR";
    fail("candidates-are-complete", `${when}: ${label} is committed to ${endOffset}, ${tab.name}, ${place}, ends at ${end}`);
  }
}
