import { retrying, within } from "../backoff.ts";
import type { RetryPolicy } from "../backoff.ts";
import type { BrokerConnections, Purpose } from "../broker-connections.ts";
import type { Cluster } from "../cluster.ts";
import {
  KafkaJSBrokerNotFound,
  KafkaJSConnectionError,
  KafkaJSGroupCoordinatorNotFound,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
} from "../errors.ts";
import { findCoordinator } from "../../protocol/apis/10-find-coordinator.ts";
import { errorName } from "../../protocol/error-codes.ts";
import type { Api } from "../../protocol/schema.ts";
import type { Clock } from "../../runtime/clock.ts";

export interface Asking<R> {
  readonly purpose?: Extract<Purpose, "offsets" | "member">;
  readonly timeoutMs?: number;
  /** Finds an error in the response; its `errorCode` by default. */
  readonly errorOf?: (response: R) => number;
}

/** The way to the coordinator of one group: whichever broker that is at the moment. */
export class CoordinatorLink {
  readonly groupId: string;
  readonly #cluster: Cluster;
  readonly #connections: BrokerConnections;
  readonly #retry: RetryPolicy;
  #nodeId: number | undefined;
  #finding: Promise<number> | undefined;
  #attempts = 0;
  #commits = 0;

  constructor(groupId: string, cluster: Cluster, connections: BrokerConnections, retry: RetryPolicy) {
    this.groupId = groupId;
    this.#cluster = cluster;
    this.#connections = connections;
    this.#retry = retry;
  }

  get clock(): Clock {
    return this.#cluster.clock;
  }

  /**
   * The connection for the last words of a member: behind the commits that are on their way, which they must not
   * overtake, or else on the one that is certainly open.
   */
  get parting(): "offsets" | "member" {
    return this.#commits > 0 ? "offsets" : "member";
  }

  /**
   * Asks once, and waits for `timeoutMs` in all. A coordinator that cannot be reached, or is none any more, is looked
   * for again the next time.
   */
  ask<Init, R>(api: Api<unknown, Init, R>, body: NoInfer<Init>, asking: Asking<NoInfer<R>> = {}): Promise<R> {
    const { purpose = "member", timeoutMs = this.#cluster.requestTimeoutMs, errorOf = ownError } = asking;
    const answer = this.#ask(api, body, { purpose, timeoutMs, errorOf });
    return within(this.#cluster.clock, timeoutMs, this.#what(api), answer);
  }

  async #ask<Init, R>(
    api: Api<unknown, Init, R>,
    body: NoInfer<Init>,
    { purpose, timeoutMs, errorOf }: Required<Asking<NoInfer<R>>>,
  ): Promise<R> {
    if (purpose === "offsets") this.#commits++;
    try {
      return await this.#askAt(await this.#coordinator(), api, body, { purpose, timeoutMs, errorOf });
    } finally {
      if (purpose === "offsets") this.#commits--;
    }
  }

  async #askAt<Init, R>(
    nodeId: number,
    api: Api<unknown, Init, R>,
    body: NoInfer<Init>,
    { purpose, timeoutMs, errorOf }: Required<Asking<NoInfer<R>>>,
  ): Promise<R> {
    try {
      const response = await this.#connections.to(nodeId, purpose).request(api, body, timeoutMs);
      const error = errorName(errorOf(response));
      if (error !== "NONE") {
        const { errorMessage: detail } = response as { readonly errorMessage?: string | null };
        throw new KafkaJSProtocolError(error, this.#what(api) + (typeof detail === "string" ? `, ${detail}` : ""));
      }
      return response;
    } catch (error) {
      if (isElsewhere(error) && this.#nodeId === nodeId) this.#nodeId = undefined;
      throw error;
    }
  }

  /** Asks again while that may help, for `timeoutMs` in all; by default, for as long as a request may take. */
  persist<Init, R>(api: Api<unknown, Init, R>, body: NoInfer<Init>, asking: Asking<NoInfer<R>> = {}): Promise<R> {
    const { clock, platform, requestTimeoutMs } = this.#cluster;
    const deadline = clock.now() + (asking.timeoutMs ?? requestTimeoutMs);
    const what = this.#what(api);
    return retrying(
      { clock, random: () => platform.random() },
      { what, policy: this.#retry, deadline },
      () => this.ask(api, body, { ...asking, timeoutMs: Math.max(1, deadline - clock.now()) }),
    );
  }

  #what({ name }: { readonly name: string }): string {
    return `${name} of group ${this.groupId}`;
  }

  #coordinator(): Promise<number> | number {
    if (this.#nodeId !== undefined) return this.#nodeId;
    this.#finding ??= this.#find().finally(() => (this.#finding = undefined));
    return this.#finding;
  }

  /** Any broker knows; each attempt asks another one. */
  async #find(): Promise<number> {
    const nodes = this.#cluster.activeNodes();
    const node = nodes[this.#attempts++ % Math.max(1, nodes.length)];
    if (node === undefined) throw new KafkaJSBrokerNotFound("No broker is there to name the group's coordinator");
    const { coordinators } = await this.#connections
      .to(node, "query")
      .request(findCoordinator, { coordinatorKeys: [this.groupId] }, this.#cluster.requestTimeoutMs);
    const found = coordinators.find(({ key }) => key === this.groupId);
    const error = errorName(found?.errorCode ?? -1);
    if (found === undefined || error === "COORDINATOR_NOT_AVAILABLE") {
      throw new KafkaJSGroupCoordinatorNotFound(`Group ${this.groupId} has no coordinator at the moment`);
    }
    if (error !== "NONE") throw new KafkaJSProtocolError(error, `FindCoordinator of group ${this.groupId}`);
    this.#nodeId = found.nodeId;
    return found.nodeId;
  }
}

function ownError(response: unknown): number {
  return (response as { readonly errorCode?: number }).errorCode ?? 0;
}

function isElsewhere(error: unknown): boolean {
  if (error instanceof KafkaJSProtocolError) {
    return error.type === "NOT_COORDINATOR" || error.type === "COORDINATOR_NOT_AVAILABLE";
  }
  return (
    error instanceof KafkaJSConnectionError ||
    error instanceof KafkaJSRequestTimeoutError ||
    error instanceof KafkaJSBrokerNotFound
  );
}
