import type { Admin, GroupDescription, MemberDescription } from "../../index.ts";
import { AssignerProtocol } from "../../index.ts";
import { partitionName } from "../../inspector/partition-name.ts";
import { reasonOf } from "../../inspector/reason.ts";
import { TOPICS_SHOWN } from "./group-views.ts";
import { sharedNow } from "./member-messages.ts";
import { withKept } from "./who-reads.ts";
import type { AnsweredMember, GroupAnswer } from "./who-reads.ts";

/** Where a partition begins and ends, and how far the group is: -1 if it has committed nothing. */
export interface PartitionOffsets {
  readonly low: number;
  readonly high: number;
  readonly committed: number;
}

/** Between an answer and the next question. */
const ASK_EVERY_MS = 250;
const OFFSETS_EVERY_MS = 400;
const GROUPS_EVERY_MS = 2000;
/** A question that takes longer is told of, and goes on. */
const PATIENCE_MS = 4000;

/** Asks the brokers again and again what they know of one group, while the page is visible. */
export class GroupWatch {
  answer: GroupAnswer | undefined;
  /** By `partitionName`. */
  offsets: ReadonlyMap<string, PartitionOffsets> = new Map();
  /** Ids of the groups that there are. */
  groups: readonly string[] = [];
  /** Topics that the group reads or has read; undefined until that is known. */
  topics: readonly string[] | undefined;
  readonly #admin: Admin;
  readonly #groupId: string;
  readonly #ownTopic: string;
  readonly #changed: () => void;
  /** Topics that exist; the others have no offsets to ask for. */
  readonly #exists: (topic: string) => boolean;
  /** By question: why it failed last, or that it takes long. */
  readonly #failures = new Map<string, string>();

  constructor(
    admin: Admin,
    group: { readonly groupId: string; readonly ownTopic: string; readonly exists: (topic: string) => boolean },
    changed: () => void,
  ) {
    this.#admin = admin;
    this.#groupId = group.groupId;
    this.#ownTopic = group.ownTopic;
    this.#exists = group.exists;
    this.#changed = changed;
  }

  /** Why something that is shown may be old. */
  get failure(): string | undefined {
    const [first] = this.#failures.values();
    return first;
  }

  /** Goes on as long as the page lives. No question waits for the answer to another. */
  run(): void {
    void this.#repeat("the group", ASK_EVERY_MS, () => this.#askGroup());
    void this.#repeat("its offsets", OFFSETS_EVERY_MS, () => this.#askOffsets());
    void this.#repeat("other groups", GROUPS_EVERY_MS, () => this.#askGroups());
  }

  async #repeat(what: string, everyMs: number, ask: () => Promise<void>): Promise<never> {
    for (;;) {
      await visible();
      const slow = setTimeout(() => this.#tell(what, `The brokers take long to tell about ${what}.`), PATIENCE_MS);
      try {
        await ask();
        this.#failures.delete(what);
      } catch (error) {
        this.#failures.set(what, reasonOf(error));
      }
      clearTimeout(slow);
      this.#changed();
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }

  #tell(what: string, failure: string): void {
    this.#failures.set(what, failure);
    this.#changed();
  }

  async #askGroup(): Promise<void> {
    const askedMs = sharedNow();
    const { groups } = await this.#admin.describeGroups([this.#groupId]);
    const [description] = groups;
    if (description !== undefined) this.answer = withKept(answerOf(description, askedMs), this.answer);
  }

  async #askGroups(): Promise<void> {
    const { groups } = await this.#admin.listGroups();
    this.groups = groups.map(({ groupId }) => groupId).sort();
  }

  async #askOffsets(): Promise<void> {
    const committed = new Map<string, number>();
    const read = await this.#admin.fetchOffsets({ groupId: this.#groupId });
    for (const { topic, partitions } of read) {
      for (const { partition, offset } of partitions) committed.set(partitionName(topic, partition), Number(offset));
    }
    const wanted = (this.answer?.members ?? []).flatMap((member) => member.topics);
    const topics = new Set([...wanted, ...read.map(({ topic }) => topic)]);
    if (topics.size === 0) topics.add(this.#ownTopic);
    this.topics = [...topics].sort();
    const shown = this.topics.filter(this.#exists).slice(0, TOPICS_SHOWN);
    const ends = await Promise.all(
      shown.map(async (topic) => (await this.#admin.fetchTopicOffsets(topic)).map((end) => ({ topic, ...end }))),
    );
    this.offsets = new Map(
      ends.flat().map(({ topic, partition, low, high }) => {
        const name = partitionName(topic, partition);
        return [name, { low: Number(low), high: Number(high), committed: committed.get(name) ?? -1 }];
      }),
    );
  }
}

function answerOf(description: GroupDescription, askedMs: number): GroupAnswer {
  return {
    askedMs,
    state: description.state,
    type: description.groupType,
    assignor: description.protocol,
    epoch: description.groupEpoch,
    members: description.members.map(memberOf),
  };
}

function memberOf(member: MemberDescription): AnsweredMember {
  const { memberId, clientId, clientHost } = member;
  const topics = AssignerProtocol.MemberMetadata.decode(member.memberMetadata)?.topics ?? [];
  const assigned = AssignerProtocol.MemberAssignment.decode(member.memberAssignment)?.assignment ?? {};
  const partitions = Object.entries(assigned).flatMap(([topic, numbers]) =>
    numbers.map((partition) => partitionName(topic, partition)),
  );
  return { memberId, clientId, clientHost, topics, partitions };
}

function visible(): Promise<void> {
  return new Promise((resolve) => {
    if (!document.hidden) return resolve();
    document.addEventListener("visibilitychange", () => resolve(), { once: true });
  });
}
