import { Kafka } from "../../../src/index.ts";
import { GroupMember } from "./group-member.ts";
import type { MemberOptions, MemberState } from "./group-member.ts";

/** A page with members of groups, asked through `window.groupTab`. */
export interface GroupTab {
  /** Starts members, without waiting until they have partitions. */
  join(members: readonly MemberOptions[]): Promise<void>;
  /** Has a member leave as an application does. */
  leave(process: string): Promise<void>;
  /** Has a member hold up the next rebalance for about so long. */
  delay(process: string, ms: number): void;
  states(): MemberState[];
  /** When a member processed each record, by partition. */
  readAtMs(process: string): GroupMember["readAtMs"];
  /** By partition of the topic, -1 for those of which nothing is committed. */
  committed(groupId: string, topic: string): Promise<number[]>;
  /** The end of each partition. */
  ends(topic: string): Promise<number[]>;
}

declare global {
  interface Window {
    groupTab: GroupTab;
  }
}

const parameters = new URLSearchParams(location.search);
const kafka = new Kafka({
  brokers: [`${location.origin.replace("http", "ws")}/tests`],
  relayOnly: parameters.has("relay"),
});
const admin = kafka.admin();
const connected = admin.connect();
const members = new Map<string, GroupMember>();

window.groupTab = {
  async join(wanted) {
    for (const options of wanted) members.set(options.process, new GroupMember(kafka, options));
    await Promise.all(wanted.map(({ process }) => named(process).start()));
  },
  leave: (process) => named(process).stop(),
  delay: (process, ms) => named(process).delay(ms),
  readAtMs: (process) => named(process).readAtMs,
  states: () => [...members.values()].map((member) => member.state()),
  async committed(groupId, topic) {
    await connected;
    const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
    const partitions = found?.partitions.toSorted((a, b) => a.partition - b.partition) ?? [];
    return partitions.map(({ offset }) => Number(offset));
  },
  async ends(topic) {
    await connected;
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets.toSorted((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
  },
};

function named(process: string): GroupMember {
  const member = members.get(process);
  if (member === undefined) throw new Error(`no member here is called ${process}`);
  return member;
}
