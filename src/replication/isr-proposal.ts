/** A change of the in-sync replicas that a leader asks the controller for (AlterPartition, KIP-497). */
export interface IsrProposal {
  /**
   * The whole ISR as it would be. Each replica comes with the broker epoch it fetched under, so that the controller
   * can refuse one that has restarted since (KIP-903); -1 if it has not fetched in this leader epoch.
   */
  readonly newIsr: readonly { readonly brokerId: number; readonly brokerEpoch: number }[];
  readonly leaderEpoch: number;
  /** The change applies to this version of the partition only. */
  readonly partitionEpoch: number;
}

/**
 * What follows from a refused proposal:
 *
 * - `rolled-back`: it was certainly not applied, the committed ISR counts again;
 * - `await-metadata`: somebody else's change came first, or this very proposal did under an answer that was lost. Only
 *   the metadata can tell, so until then both ISRs count;
 * - `retry`: nobody knows yet; the same proposal is to be sent again.
 */
export type RefusalOutcome = "rolled-back" | "await-metadata" | "retry";
