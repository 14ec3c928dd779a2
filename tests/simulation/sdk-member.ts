import { PartitionAssigners } from "../../src/client/assigners/partition-assigners.ts";
import type { Consumer } from "../../src/client/consumer.ts";
import type { NodeName } from "../../src/platform/simulated/network.ts";
import { CommitWatch } from "./commit-watch.ts";
import type { GroupRecorder } from "./group-recorder.ts";
import { withoutPadding } from "./padding.ts";
import { ViolationFound } from "./recorder.ts";
import { SdkClient } from "./sdk-client.ts";
import type { SdkContext } from "./sdk-client.ts";

/** How a group of them divides partitions: one of its members does, or, for `uniform`, the coordinator (KIP-848). */
export const sdkAssigners = ["range", "roundRobin", "sticky", "cooperativeSticky", "uniform"] as const;
export type SdkAssigner = (typeof sdkAssigners)[number];

interface Joined {
  readonly memberId: string;
  readonly memberAssignment: Readonly<Record<string, readonly number[]>>;
}

/** The SDK's consumer as a member of a group, the way applications use it: it commits what was processed. */
export class SdkMember {
  readonly process: string;
  readonly client: SdkClient;
  /** As its group knows it; empty before it has joined. */
  memberId = "";
  isOver = false;
  isClosing = false;
  readonly #consumer: Consumer;
  readonly #recorder: GroupRecorder;
  readonly #topic: string;
  readonly #context: SdkContext;
  #isPaused = false;
  #resumed: (() => void)[] = [];

  constructor(
    node: NodeName,
    life: number,
    topic: string,
    assigner: SdkAssigner,
    context: SdkContext,
    recorder: GroupRecorder,
  ) {
    this.process = `${node}.${life}`;
    this.#topic = topic;
    this.#recorder = recorder;
    this.#context = context;
    const commits = new CommitWatch((topicPartition, offset) => recorder.gaveUpCommit(topicPartition, offset));
    this.client = new SdkClient(node, {
      ...context,
      exchanged: (connection, frame, isSent) => commits.exchanged(connection, frame, isSent),
    });
    this.#consumer = this.client.kafka.consumer({
      groupId: recorder.groupId,
      allowAutoTopicCreation: false,
      rebalanceTimeout: 4_000,
      maxWaitTimeInMs: 500,
      ...(assigner === "uniform"
        ? { groupProtocol: "consumer", groupRemoteAssignor: assigner }
        : { sessionTimeout: 6_000, heartbeatInterval: 300, partitionAssigners: [PartitionAssigners[assigner]] }),
    });
    const { CRASH, GROUP_JOIN } = this.#consumer.events;
    this.#consumer.on<{ readonly error: Error }>(CRASH, ({ payload }) => {
      context.failed(new ViolationFound({ rule: "consumer", evidence: `${this.process}: ${payload.error.message}` }));
    });
    this.#consumer.on<Joined>(GROUP_JOIN, ({ payload }) => this.#joined(payload));
    recorder.began(this.process);
    this.client.act(async () => {
      try {
        await this.#start();
      } catch (error) {
        // Whoever is closed before it has begun is told so.
        if (!this.isClosing) throw error;
      }
    });
  }

  crash(): void {
    this.isOver = true;
    this.client.vanish();
  }

  close(): void {
    if (this.isClosing || this.isOver) return;
    this.isClosing = true;
    this.resume();
    const isAsked = this.client.act(async () => {
      await this.#consumer.disconnect();
      this.isOver = true;
    });
    if (!isAsked) this.crash();
  }

  freeze(): void {
    this.client.freeze();
  }

  thaw(): void {
    this.client.thaw();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    for (const resume of this.#resumed.splice(0)) resume();
  }

  async #start(): Promise<void> {
    const { chance } = this.#context;
    await this.client.connect(this.#consumer);
    await this.#consumer.subscribe({ topic: this.#topic, fromBeginning: true });
    await this.#consumer.run({
      autoCommitInterval: chance.pick([300, 1_000, 3_000]),
      partitionsConsumedConcurrently: chance.between(1, 3),
      eachMessage: async ({ partition, message }) => {
        if (this.#isPaused) await new Promise<void>((resume) => this.#resumed.push(resume));
        this.#process(partition, Number(message.offset), String(message.value));
      },
    });
  }

  #joined({ memberId, memberAssignment }: Joined): void {
    this.memberId = memberId;
    for (const partition of memberAssignment[this.#topic] ?? []) this.#recorder.begins(this.process, partition);
  }

  #process(partition: number, offset: number, text: string): void {
    try {
      this.#recorder.read(this.process, partition, offset, withoutPadding(text));
    } catch (violation) {
      // Thrown at the SDK, it would only make the message come again.
      this.#context.failed(violation);
    }
  }
}
