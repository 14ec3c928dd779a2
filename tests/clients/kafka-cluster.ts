/** Brokers that Kafka clients reach over TCP, and that can die. */
export interface KafkaCluster {
  /** What the reader of a report should know it as. */
  readonly name: string;
  /** `host:port` of the bootstrap listener. */
  readonly bootstrap: string;
  /** The broker dies: nothing of it is heard any more, and nobody is told. */
  kill(nodeId: number): Promise<void>;
  /** Brings back who died, with what they had stored. Resolves once they serve. */
  revive(): Promise<void>;
  close(): Promise<void>;
}
