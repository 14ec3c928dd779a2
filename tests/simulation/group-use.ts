import type { Chance } from "../../src/platform/simulated/chance.ts";
import type { ClientContext } from "./broker-links.ts";
import { ClassicMember } from "./classic-member.ts";
import { ConsumerProtocolMember } from "./consumer-protocol-member.ts";
import { assignedIn } from "./generation-rules.ts";
import { GroupMember } from "./group-member.ts";
import { GroupRecorder } from "./group-recorder.ts";
import type { GroupTruth } from "./group-truth.ts";
import { OffsetsOnlooker } from "./offsets-onlooker.ts";
import type { Recorder } from "./recorder.ts";
import type { SdkContext } from "./sdk-client.ts";
import { sdkAssigners, SdkMember } from "./sdk-member.ts";
import type { SdkAssigner } from "./sdk-member.ts";
import { TOPIC } from "./topics.ts";

export type GroupKind = "eager" | "cooperative" | "consumer" | "sdk";
type Member = GroupMember | SdkMember;

/** Somebody asks for the offsets of groups of so many members. */
const WATCHED_SIZE = 3;

/** What a group is told about the place it lives in. */
export interface GroupPlace {
  readonly clients: ClientContext;
  readonly chance: Chance;
  readonly recorder: Recorder;
  readonly truth: GroupTruth;
  sdkContext(process: string): SdkContext;
  /** The node is gone, without a word to anybody. */
  vanish(node: string): void;
}

/** One group, whose members all are of one kind, and the places that they take: in each there is mostly one. */
export class GroupUse {
  readonly groupId: string;
  readonly kind: GroupKind;
  readonly size: number;
  readonly recorder: GroupRecorder;
  /** Those who are to be there, each in its place. */
  readonly members: Member[] = [];
  /** Of the SDK's members; whoever wants a certain one sets it before they come. */
  assigner: SdkAssigner;
  readonly #place: GroupPlace;
  readonly #statics: number;
  /** Everybody who ever was and has not ended yet. */
  readonly #living = new Set<Member>();
  readonly #serverAssignor: string | null;
  #lives = 0;

  constructor(kind: GroupKind, size: number, statics: number, place: GroupPlace) {
    this.groupId = `${kind}-group`;
    this.kind = kind;
    this.size = size;
    this.#statics = kind === "sdk" ? 0 : statics;
    this.#place = place;
    this.assigner = place.chance.pick(sdkAssigners);
    this.#serverAssignor = place.chance.pick([null, "uniform", "range"]);
    this.recorder = new GroupRecorder(this.groupId, TOPIC, place.recorder, place.truth, () => this.living);
  }

  get nodes(): string[] {
    return this.members.map((_, index) => this.#node(index));
  }

  /** The scripted ones among those who have not ended. */
  get living(): readonly GroupMember[] {
    return this.#present().filter((member) => member instanceof GroupMember);
  }

  get sdkMembers(): readonly SdkMember[] {
    return this.members.filter((member) => member instanceof SdkMember && !member.isOver) as SdkMember[];
  }

  /** Members come one by one. Not everybody is looked at, for whoever asks changes what happens next. */
  start(): void {
    for (let index = 0; index < this.size; index++) this.begin(index);
    const { clients, chance } = this.#place;
    if (this.size !== WATCHED_SIZE) return;
    new OffsetsOnlooker(this.groupId, TOPIC, clients, chance, (name) => this.recorder.mark(name));
  }

  /** Opens a member in the place of one that is gone, or beside the one that is there. */
  begin(index: number): void {
    const { clients, chance } = this.#place;
    const node = this.#node(index);
    const life = this.#lives++;
    const instanceId = index < this.#statics ? `${this.groupId}-${index}` : null;
    const common = { groupId: this.groupId, topic: TOPIC, node, life, instanceId, context: clients, chance };
    const place = { ...common, recorder: this.recorder };
    const member =
      this.kind === "sdk"
        ? new SdkMember(node, life, TOPIC, this.assigner, this.#place.sdkContext(`${node}.${life}`), this.recorder)
        : this.kind === "consumer"
          ? new ConsumerProtocolMember(place, this.#serverAssignor, this.#memberId(index))
          : new ClassicMember(place, this.kind === "eager" ? "range" : "cooperativeSticky");
    this.members[index] = member;
    this.#living.add(member);
  }

  /** Some pages find the id again that they had before they crashed. */
  #memberId(index: number): string {
    const { chance } = this.#place;
    const before = this.members[index];
    const fresh = chance.uuid();
    return before?.isOver === true && !before.isClosing && chance.permille(300) ? before.memberId : fresh;
  }

  /** Where nobody is, or somebody is about to go, somebody comes. */
  beginAgain(index: number): void {
    const member = this.members[index];
    if (index < this.size && (member === undefined || member.isOver || member.isClosing)) this.begin(index);
  }

  /** Another process begins in the place of one that is there: under its name, or after it has gone. */
  replace(index: number): void {
    const isFenced = index < this.#statics && this.kind !== "consumer";
    if (!isFenced) this.members[index]?.close();
    this.begin(index);
  }

  crash(index: number): void {
    this.members[index]?.crash();
    this.#place.vanish(this.#node(index));
  }

  /**
   * Whether every partition is owned by one live member, no place has two more than another, and all is committed. Of
   * two processes under one static name the one whose join comes last stays, which may be the older one.
   */
  isDone(partitions: number, endOffset: (partition: number) => number): boolean {
    const owners = this.#owners(partitions);
    const counts = Array.from({ length: this.size }, (_, index) => {
      const place = `${this.#node(index)}.`;
      return owners.filter((owner) => owner.some(({ process }) => process.startsWith(place))).length;
    });
    if (!owners.every((owner) => owner.length === 1) || Math.max(...counts) - Math.min(...counts) > 1) return false;
    return owners.every((_, partition) => {
      const end = endOffset(partition);
      return end === 0 || this.#place.truth.committed(this.groupId, `${TOPIC}/${partition}`) === end;
    });
  }

  describe(partitions: number): string {
    const owners = this.#owners(partitions).map((owner, partition) => {
      const committed = this.#place.truth.committed(this.groupId, `${TOPIC}/${partition}`);
      return `${partition} of ${owner.map(({ process }) => process).join(" and ") || "nobody"}, committed to ${committed}`;
    });
    const states = this.#present().map((member) => {
      const settled = member instanceof GroupMember ? (member.isSettled ? "settled" : "unsettled") : "";
      return `${member.process} (${member.memberId}) ${settled}`;
    });
    return `${this.groupId}: ${owners.join("; ")}; ${states.join(", ")}`;
  }

  /** By partition, those who have it; nobody has anything while somebody else is on the way. */
  #owners(partitions: number): Member[][] {
    const living = this.#present();
    const generation = this.#place.truth.generation(this.groupId);
    const assigned = new Map(generation?.members.map(({ memberId, assignment }) => [memberId, assignedIn(assignment)]));
    return Array.from({ length: partitions }, (_, partition) => {
      return living.filter((member) => {
        if (member instanceof GroupMember) return member.isSettled && member.owned.has(partition);
        const current = this.#place.truth.assignments.get(this.groupId)?.get(member.memberId)?.at(-1)?.value;
        const isCurrent = [...(current?.assigned ?? [])].some((name) => name.endsWith(`/${partition}`));
        return isCurrent || assigned.get(member.memberId)?.includes(`${TOPIC}/${partition}`) === true;
      });
    });
  }

  #present(): Member[] {
    for (const member of this.#living) if (member.isOver) this.#living.delete(member);
    return [...this.#living];
  }

  #node(index: number): string {
    return `${this.kind}-member-${index}`;
  }
}
