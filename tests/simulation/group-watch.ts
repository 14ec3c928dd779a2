import type { CoordinatorShard } from "../../src/coordinator/coordinator-shard.ts";
import { OFFSETS_TOPIC, partitionForGroup } from "../../src/coordinator/group-partition.ts";
import type { SimulatedTab } from "../../src/platform/simulated/simulated-tab.ts";
import { offsetCommit } from "../../src/protocol/apis/08-offset-commit.ts";
import type { OffsetCommitRequest, OffsetCommitResponse } from "../../src/protocol/apis/08-offset-commit.ts";
import { offsetFetch } from "../../src/protocol/apis/09-offset-fetch.ts";
import type { OffsetFetchRequest, OffsetFetchResponse } from "../../src/protocol/apis/09-offset-fetch.ts";
import { joinGroup } from "../../src/protocol/apis/11-join-group.ts";
import type { JoinGroupRequest, JoinGroupResponse } from "../../src/protocol/apis/11-join-group.ts";
import { heartbeat } from "../../src/protocol/apis/12-heartbeat.ts";
import type { HeartbeatRequest } from "../../src/protocol/apis/12-heartbeat.ts";
import { leaveGroup } from "../../src/protocol/apis/13-leave-group.ts";
import type { LeaveGroupRequest } from "../../src/protocol/apis/13-leave-group.ts";
import { syncGroup } from "../../src/protocol/apis/14-sync-group.ts";
import type { SyncGroupRequest, SyncGroupResponse } from "../../src/protocol/apis/14-sync-group.ts";
import { consumerGroupHeartbeat } from "../../src/protocol/apis/68-consumer-group-heartbeat.ts";
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from "../../src/protocol/apis/68-consumer-group-heartbeat.ts";
import { decodeRequest, decodeRequestHeader, decodeResponse } from "../../src/protocol/envelope.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import type { Api } from "../../src/protocol/schema.ts";
import { ConsumerGroupWatch } from "./consumer-group-watch.ts";
import type { ControllerWatch } from "./controller-watch.ts";
import { expectFetched } from "./fetched-offsets.ts";
import { since } from "./group-truth.ts";
import type { GroupTruth } from "./group-truth.ts";
import { JoinedGenerations } from "./joined-generations.ts";
import { KnownMembers } from "./known-members.ts";
import type { OfMember } from "./known-members.ts";
import { expectLoaded } from "./loaded-groups.ts";
import type { RequestWatch } from "./open-requests.ts";
import { fail } from "./oracle-context.ts";
import type { OracleContext } from "./oracle-context.ts";
import type { Occasion } from "./schedule.ts";

/** A request of a group, and what was true when it came. */
export interface Asked<Request = unknown> {
  readonly groupId: string;
  readonly api: Api;
  readonly version: number;
  readonly request: Request;
  /** How many records of groups had been committed. */
  readonly at: number;
  readonly atUs: number;
  /** The epoch that the broker led the group's partition in; undefined if it did not, or was replaced by then. */
  readonly leaderEpoch: number | undefined;
  /** The newest generation that members had been told of in that epoch. */
  readonly announced: number;
}

const watched: ReadonlyMap<number, Api> = new Map<number, Api>(
  [offsetCommit, offsetFetch, joinGroup, heartbeat, leaveGroup, syncGroup, consumerGroupHeartbeat].map((api) => [api.key, api]),
);

/**
 * What members of groups are told, against what is committed: nobody hears of what another coordinator might not know.
 * Of a coordinator that was replaced, and has not heard of it, only that is asked: it may tell what was so before.
 */
export class GroupWatch implements RequestWatch {
  readonly #context: OracleContext;
  readonly #controller: ControllerWatch;
  readonly #truth: GroupTruth;
  readonly #consumers: ConsumerGroupWatch;
  /** By group, the generation that members were told last, and the epoch of the coordinator that told them. */
  readonly #announced = new Map<string, { readonly leaderEpoch: number; readonly generation: number }>();
  readonly #known = new KnownMembers();
  readonly #joins = new JoinedGenerations();
  /** By tab and partition, the epoch that it coordinates in. */
  readonly #loaded = new Map<string, number>();
  #listener: ((occasion: Occasion) => void) | undefined;

  constructor(context: OracleContext, controller: ControllerWatch, truth: GroupTruth) {
    this.#context = context;
    this.#controller = controller;
    this.#truth = truth;
    this.#consumers = new ConsumerGroupWatch(truth);
  }

  onOccasion(listener: (occasion: Occasion) => void): void {
    this.#listener = listener;
  }

  asked(tab: SimulatedTab, frame: Uint8Array) {
    const api = frame[0] === 0 ? watched.get(frame[1]!) : undefined;
    if (api === undefined) return undefined;
    const header = decodeRequestHeader(frame);
    const request = decodeRequest(api, header) as { readonly groupId?: string; readonly groups?: readonly { groupId: string }[] };
    const groupId = request.groups?.[0]?.groupId ?? request.groupId ?? "";
    const leaderEpoch = this.#epochOf(tab, groupId);
    const told = this.#announced.get(groupId);
    const announced = told !== undefined && told.leaderEpoch === leaderEpoch ? told.generation : -1;
    const [at, atUs] = [this.#truth.count, this.#context.nowUs()];
    const asked = { groupId, api, version: header.apiVersion, request, at, atUs, leaderEpoch, announced };
    if (api === consumerGroupHeartbeat) this.#consumers.asked(asked as Asked<never>);
    for (const memberId of leavingIn(api, request)) this.#known.left(groupId, memberId);
    if (api === joinGroup) this.#joins.asked(groupId, (request as JoinGroupRequest).memberId, atUs);
    if (api === joinGroup || api === syncGroup) this.#listener?.("rebalance");
    else if (api === offsetCommit) this.#listener?.("commit");
    const shard = shardOf(tab, groupId);
    return (answer: Uint8Array) => this.#answered(tab, asked, answer, shard);
  }

  /** The epoch in which the tab coordinates the group; undefined if it does not, or somebody else is to by now. */
  #epochOf({ core }: SimulatedTab, groupId: string): number | undefined {
    const topic = core?.image.topicNamed(OFFSETS_TOPIC);
    if (core === undefined || topic === undefined) return undefined;
    const key = `${topic.topicId}/${partitionForGroup(groupId, topic.partitions.length)}`;
    const role = core.replica(key)?.role;
    const decided = this.#controller.partition(key)?.leaderEpoch;
    return role?.kind === "leader" && role.state.leaderEpoch === decided ? decided : undefined;
  }

  lookForLoads(tab: SimulatedTab): void {
    const topic = tab.core?.image.topicNamed(OFFSETS_TOPIC);
    for (const { partitionIndex } of topic?.partitions ?? []) {
      const place = `${tab.name}#${tab.starts}/${partitionIndex}`;
      const key = `${topic!.topicId}/${partitionIndex}`;
      const role = tab.core!.replica(key)?.role;
      const leaderEpoch = role?.kind === "leader" ? role.state.leaderEpoch : undefined;
      if (leaderEpoch === undefined || this.#loaded.get(place) === leaderEpoch) continue;
      const shard = tab.core!.groups.loaded(partitionIndex);
      if (shard === undefined) {
        this.#listener?.("load");
        continue;
      }
      this.#loaded.set(place, leaderEpoch);
      if (this.#controller.partition(key)?.leaderEpoch !== leaderEpoch) continue;
      const isHere = (groupId: string) => partitionForGroup(groupId, topic!.partitions.length) === partitionIndex;
      if (leaderEpoch > 0) this.#context.mark("groups loaded by another coordinator");
      expectLoaded(tab.name, shard, this.#truth, isHere);
      this.#begin(leaderEpoch, isHere);
    }
  }

  /** All sessions start anew with a coordinator. */
  #begin(leaderEpoch: number, isHere: (groupId: string) => boolean): void {
    const atUs = this.#context.nowUs();
    for (const groupId of this.#truth.generations.keys()) {
      if (!isHere(groupId)) continue;
      const stored = this.#truth.generation(groupId)!;
      const memberIds = stored.members.map(({ memberId }) => memberId);
      this.#known.loaded(groupId, memberIds, { atUs, leaderEpoch, generation: stored.generation });
      const told = this.#announced.get(groupId);
      if (told !== undefined && told.generation > stored.generation) this.#context.mark("coordinator lost in a rebalance");
    }
    for (const [groupId, assignments] of this.#truth.assignments) {
      if (!isHere(groupId)) continue;
      const memberIds = [...assignments].flatMap(([memberId, told]) => (told.at(-1)?.value == null ? [] : [memberId]));
      this.#known.loaded(groupId, memberIds, { atUs, leaderEpoch, generation: undefined });
    }
  }

  /** `shard`: what was loaded of the group's coordinator when the request came. */
  #answered(tab: SimulatedTab, asked: Asked, frame: Uint8Array, shard: CoordinatorShard | undefined): void {
    const { body } = decodeResponse(asked.api, asked.version, frame);
    const where = `${tab.name}, ${asked.groupId}`;
    switch (asked.api) {
      case offsetCommit:
        return this.#committed(where, asked as Asked<OffsetCommitRequest>, body as OffsetCommitResponse);
      case offsetFetch:
        return this.#fetched(where, asked as Asked<OffsetFetchRequest>, body as OffsetFetchResponse);
      case joinGroup:
        return this.#joined(where, asked as Asked<JoinGroupRequest>, body as JoinGroupResponse);
      case syncGroup:
        return this.#synced(where, asked as Asked<SyncGroupRequest>, body as SyncGroupResponse);
      case heartbeat: {
        const isLoaded = shard !== undefined && shardOf(tab, asked.groupId) === shard;
        return this.#beaten(where, asked as Asked<HeartbeatRequest>, (body as { errorCode: number }).errorCode, isLoaded);
      }
      case consumerGroupHeartbeat: {
        const isReplaced = this.#epochOf(tab, asked.groupId) === undefined;
        return this.#told(where, asked as Asked<ConsumerGroupHeartbeatRequest>, body as never, isReplaced);
      }
      default:
        this.#note(asked, (body as { errorCode: number }).errorCode);
    }
  }

  #note({ api }: Asked, errorCode: number): string {
    const error = errorName(errorCode);
    if (error !== "NONE") this.#context.mark(`${api.name} refused: ${error}`);
    return error;
  }

  /** What a member of a classic group is told. */
  #noteOf(where: string, asked: Asked<OfMember>, errorCode: number): string {
    const error = this.#note(asked, errorCode);
    this.#known.answered(where, asked, error, this.#context.nowUs());
    return error;
  }

  #committed(where: string, asked: Asked<OffsetCommitRequest>, { topics }: OffsetCommitResponse): void {
    const { groupId, request } = asked;
    const offsets = new Map<string, number>(
      request.topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, committedOffset }) => [`${name}/${partitionIndex}`, committedOffset] as const),
      ),
    );
    let isMember = false;
    for (const { name, partitions } of topics) {
      for (const { partitionIndex, errorCode } of partitions) {
        if (this.#noteOf(where, asked, errorCode) !== "NONE") continue;
        const partition = `${name}/${partitionIndex}`;
        const offset = offsets.get(partition);
        const told = this.#truth.offsets.get(groupId)?.get(partition);
        const isStored = told?.some(({ at, value }) => at >= asked.at && value === offset) === true;
        if (!isStored) fail("commit-is-committed", `${where}: offset ${offset} of ${partition} is not`);
        isMember = true;
      }
    }
    if (isMember) this.#expectMember(where, asked);
  }

  /** Offsets were taken from a member of the generation, or epoch, that was the newest in between. */
  #expectMember(where: string, asked: Asked<OffsetCommitRequest>): void {
    const { groupId, at, announced, request } = asked;
    const { memberId, generationIdOrMemberEpoch: generation } = request;
    const refuse = (evidence: string) => fail("old-members-are-refused", `${where}: ${memberId} commits ${evidence}`);
    if (generation < announced) refuse(`in generation ${generation}, ${announced} was announced`);
    const assignments = this.#truth.assignments.get(groupId)?.get(memberId);
    if (assignments !== undefined) {
      const epochs = since(assignments, at).map(({ value }) => value?.memberEpoch);
      if (!epochs.includes(generation)) refuse(`in epoch ${generation} of ${epochs.join()}`);
      return;
    }
    const isOf = ({ value }: { value: { generation: number; members: readonly { memberId: string }[] } }) =>
      value.generation === generation && value.members.some((member) => member.memberId === memberId);
    // A generation that nobody has completed yet has members, too.
    const isKnown = generation === announced || since(this.#truth.generations.get(groupId), at).some(isOf);
    if (!isKnown) refuse(`in generation ${generation}`);
  }

  #fetched(where: string, asked: Asked<OffsetFetchRequest>, { groups }: OffsetFetchResponse): void {
    for (const group of groups) {
      if (this.#note(asked, group.errorCode) === "NONE") expectFetched(where, asked, group, this.#truth);
    }
  }

  #joined(where: string, asked: Asked<JoinGroupRequest>, response: JoinGroupResponse): void {
    const { errorCode, generationId, memberId } = response;
    if (this.#noteOf(where, asked, errorCode) !== "NONE" || asked.leaderEpoch === undefined) return;
    const { groupId, leaderEpoch, atUs } = asked;
    this.#joins.answered(groupId, memberId, { generation: generationId, leaderEpoch, atUs });
    const stored = this.#storedBefore(asked);
    if (generationId < stored) fail("generations-grow", `${where}: ${generationId} is announced, ${stored} was`);
    const told = this.#announced.get(groupId);
    if (told?.leaderEpoch !== leaderEpoch || told.generation < generationId) {
      this.#announced.set(groupId, { leaderEpoch, generation: generationId });
    }
  }

  /**
   * The newest generation when somebody asked. Of a group that had none, one that began and ended since does not count:
   * its end may be written down before the answer about its beginning has arrived.
   */
  #storedBefore({ groupId, at }: Asked): number {
    return this.#truth.generations.get(groupId)?.findLast((told) => told.at < at)?.value.generation ?? 0;
  }

  /** What a member is told to have is what every coordinator after this one will know. */
  #synced(where: string, asked: Asked<SyncGroupRequest>, { errorCode, assignment }: SyncGroupResponse): void {
    if (this.#noteOf(where, asked, errorCode) !== "NONE") return;
    const { groupId, request } = asked;
    const { memberId, generationId } = request;
    const generations = this.#truth.generations.get(groupId) ?? [];
    const isTold = generations.some(({ value }) => {
      const member = value.generation === generationId ? value.members.find((one) => one.memberId === memberId) : undefined;
      return member !== undefined && String(member.assignment) === String(assignment);
    });
    if (!isTold) fail("assignments-are-committed", `${where}: that of ${memberId} in generation ${generationId} is not`);
    // It is written down again, perhaps by another coordinator, when a process takes the place of a static member.
    const written = generations.filter(({ value }) => value.generation === generationId);
    this.#joins.expectJoined(where, groupId, written.at(-1)!.value, written[0]!.leaderEpoch);
  }

  /** What a member of a consumer group (KIP-848) is told. */
  #told(
    where: string,
    asked: Asked<ConsumerGroupHeartbeatRequest>,
    response: ConsumerGroupHeartbeatResponse,
    isReplaced: boolean,
  ): void {
    const error = this.#note(asked, response.errorCode);
    const assignments = since(this.#truth.assignments.get(asked.groupId)?.get(asked.request.memberId), asked.at);
    const isToGiveUp = !assignments.every(({ value }) => value?.pending.size === 0);
    this.#known.answered(where, asked, error, this.#context.nowUs(), isToGiveUp);
    this.#consumers.answered(where, asked, response, error, isReplaced);
  }

  /** A coordinator that is still loading refuses nobody's heartbeats, so they promise nothing. */
  #beaten(where: string, asked: Asked<HeartbeatRequest>, errorCode: number, isLoaded: boolean): void {
    const { request, leaderEpoch, announced } = asked;
    const { memberId, generationId } = request;
    if (this.#noteOf(where, asked, errorCode) !== "NONE" || !isLoaded) return;
    const stored = this.#storedBefore(asked);
    const newest = leaderEpoch === undefined ? 0 : Math.max(stored, announced);
    if (generationId < newest) {
      fail("old-members-are-refused", `${where}: ${memberId} is in generation ${generationId}, ${newest} has begun`);
    }
  }
}

/** What is loaded of the group's coordinator at that tab, if anything. */
function shardOf({ core }: SimulatedTab, groupId: string): CoordinatorShard | undefined {
  const topic = core?.image.topicNamed(OFFSETS_TOPIC);
  return topic === undefined ? undefined : core?.groups.loaded(partitionForGroup(groupId, topic.partitions.length));
}

function leavingIn(api: Api, request: unknown): readonly string[] {
  if (api === leaveGroup) return (request as LeaveGroupRequest).members.map(({ memberId }) => memberId);
  if (api !== consumerGroupHeartbeat) return [];
  const { memberId, memberEpoch } = request as ConsumerGroupHeartbeatRequest;
  return memberEpoch < 0 ? [memberId] : [];
}
