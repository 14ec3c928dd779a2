import type { GroupMember } from "./group-member.ts";
import type { GroupTruth } from "./group-truth.ts";
import type { ClientRecorder, Recorder } from "./recorder.ts";
import { partitionLabel } from "./topics.ts";

/**
 * What the members of one group do with a topic, for the history and for what is judged at once: the group passes over
 * no record, and no two members that are members believe to own one partition.
 */
export class GroupRecorder implements ClientRecorder {
  readonly acks: 1 | -1;
  readonly mayForgetProducers: boolean;
  readonly groupId: string;
  readonly #topic: string;
  readonly #recorder: Recorder;
  readonly #truth: GroupTruth;
  readonly #members: () => readonly GroupMember[];
  /** By partition, the offset behind the last record that some member has processed. */
  readonly #processedTo = new Map<number, number>();
  processed = 0;
  /** For whoever measures a run: told of every record that a member gets, as it gets it. */
  delivered: ((process: string, partition: number, offset: number) => void) | undefined;

  constructor(
    groupId: string,
    topic: string,
    recorder: Recorder,
    truth: GroupTruth,
    members: () => readonly GroupMember[],
  ) {
    this.groupId = groupId;
    this.#topic = topic;
    this.#recorder = recorder;
    this.#truth = truth;
    this.#members = members;
    this.acks = recorder.acks;
    this.mayForgetProducers = recorder.mayForgetProducers;
  }

  mark(name: string): void {
    this.#recorder.mark(name);
  }

  endOffset(partition: number): number {
    return this.#recorder.endOffset(partition);
  }

  trimmedTo(partition: number): number {
    return this.#recorder.trimmedTo(partition);
  }

  sent(): void {}

  acknowledged(): void {}

  gaveUp(): void {}

  /** A member waits no longer for the answer to this commit, which may still arrive. */
  gaveUpCommit(topicPartition: string, offset: number): void {
    this.#truth.gaveUpCommit(this.groupId, topicPartition, offset);
  }

  /** A member begins its life. */
  began(process: string): void {
    this.#recorder.history.push({ f: "subscribe", type: "ok", process });
  }

  /** It begins to read a partition, anywhere. */
  begins(process: string, partition: number): void {
    const partitions = [partitionLabel(this.#topic, partition)];
    this.#recorder.history.push({ f: "rebalance", type: "ok", process, partitions });
  }

  read(process: string, partition: number, offset: number, value: string): void {
    this.processed++;
    this.delivered?.(process, partition, offset);
    this.#recorder.read(process, partition, offset, value);
    const processedTo = this.#processedTo.get(partition) ?? 0;
    if (offset > Math.max(processedTo, this.trimmedTo(partition))) {
      const where = `${process} of ${this.groupId} processes offset ${offset} of partition ${partition}`;
      this.violation("nothing-is-skipped", `${where}, and nobody has processed ${processedTo}`);
    }
    this.#processedTo.set(partition, Math.max(processedTo, offset + 1));
  }

  /**
   * A member has been told that it owns these partitions. Whoever is no member any more, and has not heard of it, may
   * believe anything: its commits are refused.
   */
  owns(member: GroupMember, partitions: readonly number[]): void {
    if (!this.#isInStanding(member, true)) return;
    for (const other of this.#members()) {
      if (other === member || other.isOver || !this.#isInStanding(other)) continue;
      const shared = partitions.find((partition) => other.owned.has(partition));
      if (shared === undefined) continue;
      const names = `${member.process} and ${other.process}`;
      this.violation("one-owner", `${names} of ${this.groupId} believe to own partition ${shared}`);
    }
  }

  violation(rule: string, evidence: string): never {
    return this.#recorder.violation(rule, evidence);
  }

  /** A member of the newest generation, if there are generations; or one that may be about to hear of it. */
  #isInStanding({ memberId, generation, ownedIn, instanceId }: GroupMember, isTold = false): boolean {
    if (!this.#truth.hasMember(this.groupId, memberId)) return false;
    const stored = this.#truth.generation(this.groupId);
    if (stored === undefined) return true;
    // A static member keeps its place through generations that it sleeps through, and may have joined one of the same
    // number, which was lost with its coordinator.
    if (instanceId !== null) return ownedIn === stored.generation;
    // What was told late is over by now.
    return generation === stored.generation || !isTold;
  }
}
