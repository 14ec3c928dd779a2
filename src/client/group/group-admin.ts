import type { SeekEntry } from "../admin-types.ts";
import { topicNamed } from "../admin/admin-environment.ts";
import type { AdminEnvironment } from "../admin/admin-environment.ts";
import { retrying } from "../backoff.ts";
import {
  asError,
  KafkaJSDeleteGroupsError,
  KafkaJSNonRetriableError,
  KafkaJSProtocolError,
} from "../errors.ts";
import { wholeNumber } from "../fetch-position.ts";
import { CommittedOffsets } from "./committed-offsets.ts";
import { CoordinatorLink } from "./coordinator-link.ts";
import { describeGroup } from "./describe-group.ts";
import type { GroupDescription } from "./describe-group.ts";
import { offsetFetch } from "../../protocol/apis/09-offset-fetch.ts";
import { listGroups } from "../../protocol/apis/16-list-groups.ts";
import { deleteGroups } from "../../protocol/apis/42-delete-groups.ts";
import { errorCode, errorName } from "../../protocol/error-codes.ts";

export interface GroupOverview {
  readonly groupId: string;
  readonly protocolType: string;
  /** `Stable`, `Empty`, and so on. */
  readonly groupState: string;
  /** `classic` or `consumer`. */
  readonly groupType: string;
}

export interface DeleteGroupsResult {
  readonly groupId: string;
  readonly errorCode: number;
  readonly error?: KafkaJSProtocolError;
}

export interface FetchOffsetsPartition extends SeekEntry {
  readonly metadata: string | null;
}

/** The admin client's calls about groups, each sent to the coordinators it concerns. */
export class GroupAdmin {
  readonly #options: AdminEnvironment;

  constructor(options: AdminEnvironment) {
    this.#options = options;
  }

  /** The groups that any broker coordinates. */
  async list(): Promise<GroupOverview[]> {
    const { cluster, connections, retry } = this.#options;
    const deadline = cluster.clock.now() + cluster.requestTimeoutMs;
    const environment = { clock: cluster.clock, random: () => cluster.platform.random() };
    const lists = await retrying(environment, { what: "ListGroups", policy: retry, deadline }, () =>
      Promise.all(
        cluster.activeNodes().map(async (nodeId) => {
          const response = await connections.to(nodeId, "query").request(listGroups, {}, cluster.requestTimeoutMs);
          const error = errorName(response.errorCode);
          if (error !== "NONE") throw new KafkaJSProtocolError(error, `ListGroups of broker ${nodeId}`);
          return response.groups;
        }),
      ),
    );
    return lists.flat();
  }

  describe(groupIds: readonly string[]): Promise<GroupDescription[]> {
    return Promise.all(groupIds.map((groupId) => describeGroup(this.#link(groupId))));
  }

  /** Deletes each group by itself, and throws KafkaJSDeleteGroupsError if any could not be. */
  async delete(groupIds: readonly string[]): Promise<DeleteGroupsResult[]> {
    const results = await Promise.all(groupIds.map((groupId) => this.#delete(groupId)));
    const failed = results.flatMap(({ error, ...result }) => (error === undefined ? [] : [{ ...result, error }]));
    if (failed.length === 0) return results;
    const messages = failed.map(({ error }) => error.message).join("; ");
    throw new KafkaJSDeleteGroupsError(`Groups could not be deleted: ${messages}`, failed);
  }

  /** What the group has committed; of `topics`, -1 for partitions of which it has nothing, else all there is. */
  async fetchOffsets(
    groupId: string,
    topics: readonly string[] | undefined,
  ): Promise<{ topic: string; partitions: FetchOffsetsPartition[] }[]> {
    const asked =
      topics?.map((name) => ({
        name,
        partitionIndexes: topicNamed(this.#options, name).partitions.map(({ partitionIndex }) => partitionIndex),
      })) ?? null;
    const { groups } = await this.#link(groupId).persist(offsetFetch, { groups: [{ groupId, topics: asked }] }, {
      errorOf: (response) =>
        response.groups
          .flatMap(({ errorCode: ofGroup, topics: answers }) => [
            ofGroup,
            ...answers.flatMap(({ partitions }) => partitions.map(({ errorCode: ofPartition }) => ofPartition)),
          ])
          .find((code) => code !== 0) ?? 0,
    });
    return (groups[0]?.topics ?? []).map(({ name, partitions }) => ({
      topic: name,
      partitions: partitions
        .map(({ partitionIndex, committedOffset, metadata }) => ({
          partition: partitionIndex,
          offset: String(committedOffset),
          metadata: metadata === "" ? null : metadata,
        }))
        .sort((left, right) => left.partition - right.partition),
    }));
  }

  /** Moves a group that has no members. */
  async setOffsets(groupId: string, topic: string, partitions: readonly SeekEntry[]): Promise<void> {
    const offsets = partitions.map(({ partition, offset }) => ({
      topic,
      partition,
      offset: wholeNumber(offset, "offset", { topic, partition }),
      leaderEpoch: -1,
      metadata: null,
    }));
    try {
      await new CommittedOffsets(this.#link(groupId), this.#options.emitter).commit(
        () => offsets,
        () => ({ memberId: "", generationId: -1, groupInstanceId: null }),
      );
    } catch (error) {
      if (!(error instanceof KafkaJSProtocolError) || error.type !== "UNKNOWN_MEMBER_ID") throw error;
      const message = `The offsets of group ${groupId} cannot be set while it has members; stop its consumers first`;
      throw new KafkaJSNonRetriableError(message, { cause: error });
    }
  }

  async #delete(groupId: string): Promise<DeleteGroupsResult> {
    try {
      await this.#link(groupId).persist(deleteGroups, { groupsNames: [groupId] }, {
        errorOf: (response) => response.results[0]?.errorCode ?? errorCode("UNKNOWN_SERVER_ERROR"),
      });
      return { groupId, errorCode: 0 };
    } catch (error) {
      if (!(error instanceof KafkaJSProtocolError)) throw asError(error);
      return { groupId, errorCode: error.code, error };
    }
  }

  #link(groupId: string): CoordinatorLink {
    const { cluster, connections, retry } = this.#options;
    return new CoordinatorLink(groupId, cluster, connections, retry);
  }
}
