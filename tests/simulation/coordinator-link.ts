import type { Chance } from "../../src/platform/simulated/chance.ts";
import { findCoordinator } from "../../src/protocol/apis/10-find-coordinator.ts";
import { errorCode } from "../../src/protocol/error-codes.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import type { Api, RequestInit, Response } from "../../src/protocol/schema.ts";
import { backoffMs, BrokerLinks } from "./broker-links.ts";
import type { ClientContext } from "./broker-links.ts";
import { documentedError } from "./documented-errors.ts";

/** What a member asks, and how it reads the answer. */
export interface Question<A extends Api> {
  readonly api: A;
  readonly version: number;
  /** Made anew for each time that it is asked. */
  body(isRepeated: boolean): RequestInit<A>;
  /** The error of an answer that speaks for the whole of it. */
  errorOf(response: Response<A>): number;
  answered(response: Response<A>, error: ErrorName): void;
  /** Whether the answer still matters; nothing is asked again once it does not. */
  matters(): boolean;
  readonly timeoutMs?: number;
}

/** Errors that say who, or when, to ask instead. */
const ELSEWHERE: readonly ErrorName[] = ["NOT_COORDINATOR", "COORDINATOR_NOT_AVAILABLE", "COORDINATOR_LOAD_IN_PROGRESS"];
const TIMEOUT_MS = 8_000;

/** A scripted member's way to its coordinator: finds it, and asks again, wherever that is by then, until it answers. */
export class CoordinatorLink {
  readonly #groupId: string;
  readonly #context: ClientContext;
  readonly #links: BrokerLinks;
  readonly #mark: (name: string) => void;
  #coordinator: number | undefined;
  #isOver = false;

  constructor(node: string, topic: string, groupId: string, context: ClientContext, chance: Chance, mark: (name: string) => void) {
    this.#groupId = groupId;
    this.#context = context;
    this.#mark = mark;
    this.#links = new BrokerLinks(node, topic, context, chance);
  }

  ask<A extends Api>(question: Question<A>, askedBefore = -1, failures = 0): void {
    if (this.#isOver || !question.matters()) return;
    const nodeId = this.#coordinator;
    const again = (isElsewhere: boolean) => {
      if (isElsewhere && this.#coordinator === nodeId) this.#coordinator = undefined;
      this.#context.time.after(backoffMs(failures), () => this.ask(question, nodeId ?? askedBefore, failures + 1));
    };
    if (nodeId === undefined) return this.#find(() => this.ask(question, askedBefore, failures), () => again(true));
    const { api, version, body, timeoutMs = TIMEOUT_MS } = question;
    if (askedBefore >= 0 && askedBefore !== nodeId) this.#mark(`${api.name} asked again of another coordinator`);
    this.#links.ask(
      nodeId,
      api,
      version,
      body(failures > 0),
      (response) => {
        const error = documentedError(api, question.errorOf(response));
        if (ELSEWHERE.includes(error)) return again(error !== "COORDINATOR_LOAD_IN_PROGRESS");
        if (!this.#isOver && question.matters()) question.answered(response, error);
      },
      () => again(true),
      timeoutMs,
    );
  }

  close(): void {
    this.#isOver = true;
    this.#links.close();
  }

  #find(found: () => void, failed: () => void): void {
    this.#links.askAnybody(
      findCoordinator,
      4,
      { keyType: 0, coordinatorKeys: [this.#groupId] },
      ({ coordinators: [coordinator] }) => {
        const { nodeId, host, errorCode: code } = coordinator!;
        if (documentedError(findCoordinator, code) !== "NONE") return failed();
        this.#coordinator = nodeId;
        this.#links.learn(nodeId, host);
        found();
      },
      failed,
    );
  }
}

/** Of several partitions the error that is not about one alone, if there is one. */
export function errorOfAll(topics: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[]): number {
  const own = [errorCode("UNKNOWN_TOPIC_OR_PARTITION"), 0];
  const codes = topics.flatMap(({ partitions }) => partitions.map((partition) => partition.errorCode));
  return codes.find((code) => !own.includes(code)) ?? 0;
}
