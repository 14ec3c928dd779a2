import { TAB_LISTENER } from "./listener-names.ts";

export interface ControllerConfig {
  /** A broker that is not heard for so long is fenced. */
  readonly sessionTimeoutMs: number;
  /** How long after a change the assignment of replicas and leaders is looked over, so that changes come together. */
  readonly healDelayMs: number;
  /** A broker must have been unfenced for so long before leadership is moved to it for balance. */
  readonly leaderSettleMs: number;
  /** Partitions whose leader is moved for balance at one time. */
  readonly maxLeaderMoves: number;
  /** Replicas that one broker is given to catch up with at one time. */
  readonly maxAddingPerBroker: number;
  readonly maxPartitionsPerTopic: number;
  readonly maxPartitions: number;
  readonly maxBrokers: number;
  /** A broker without replicas that is gone for so long is forgotten; sooner if a full cluster needs its place. */
  readonly forgetBrokerAfterMs: number;
  /** A snapshot is taken once the log has grown by so many records, or bytes. */
  readonly snapshotRecords: number;
  readonly snapshotBytes: number;
  /** Bounds of a metadata fetch, whatever it asks for. */
  readonly maxFetchWaitMs: number;
  readonly maxFetchBytes: number;
  /**
   * A connection that asks on while more bytes of its answers than this wait for the disk is closed. They will come to
   * its socket all at once, which the server closes for as much unread: so what this refuses would hardly get through.
   */
  readonly maxWaitingBytes: number;
  /** The listener whose endpoints are told to those who ask the controller itself. */
  readonly listenerName: string;
  /** Where other Kafka clients reach the brokers: node n at `basePort + 1 + n`, as the listener `KAFKA`. */
  readonly kafkaListener: { readonly host: string; readonly basePort: number } | undefined;
}

export const defaultControllerConfig: ControllerConfig = {
  sessionTimeoutMs: 4_000,
  healDelayMs: 300,
  leaderSettleMs: 1_000,
  maxLeaderMoves: 50,
  maxAddingPerBroker: 64,
  maxPartitionsPerTopic: 1_000,
  maxPartitions: 10_000,
  maxBrokers: 1_000,
  forgetBrokerAfterMs: 24 * 3_600_000,
  snapshotRecords: 5_000,
  snapshotBytes: 4 * 1024 * 1024,
  maxFetchWaitMs: 30_000,
  maxFetchBytes: 1024 * 1024,
  maxWaitingBytes: 16 * 1024 * 1024,
  listenerName: TAB_LISTENER,
  kafkaListener: undefined,
};
