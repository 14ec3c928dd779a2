/** What a broker tells its own page about itself. Plain data: it crosses to the page by structured clone. */
export interface BrokerStatus {
  readonly state: BrokerState;
  /** -1 until the controller has granted one. */
  readonly brokerId: number;
  readonly directoryId: string;
  readonly rack: string;
  /** Why the broker is not running, for people: what happened, and what helps. */
  readonly reason: string | undefined;
  /** False while the metadata server cannot be reached: existing leaders go on, elections and new topics wait. */
  readonly controllerConnected: boolean;
  readonly partitions: readonly PartitionStatus[];
  /** Total bytes stored in this directory's logs. */
  readonly storedBytes: number;
  /** Bytes of records copied from leaders since this broker started: what a rejoin costs. */
  readonly replicatedBytes: number;
}

export type BrokerState =
  /** Registering, or catching up on metadata. */
  | "starting"
  | "running"
  /** Stopped serving for now: lost its registration, or noticed a gap in its own time. It re-registers by itself. */
  | "fenced"
  | "stopping"
  | "stopped"
  /** The cluster does not take this storage for the broker it was. The tab goes on with another storage directory. */
  | "refused"
  /** The storage cannot be trusted any more. Only a reload helps. */
  | "failed";

export interface PartitionStatus {
  readonly topic: string;
  readonly partitionIndex: number;
  readonly role: "leader" | "follower" | "offline";
  readonly leaderEpoch: number;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  readonly highWatermark: number;
}
