import type { ConnectionEnd, NodeName, SimulatedNetwork } from "../../src/platform/simulated/network.ts";
import { SERVER } from "../../src/platform/simulated/simulated-server.ts";
import type { VirtualTime } from "../../src/platform/simulated/virtual-time.ts";
import { createTopics } from "../../src/protocol/apis/19-create-topics.ts";
import { deleteTopics } from "../../src/protocol/apis/20-delete-topics.ts";
import { deleteRecords } from "../../src/protocol/apis/21-delete-records.ts";
import { createPartitions } from "../../src/protocol/apis/37-create-partitions.ts";
import { incrementalAlterConfigs } from "../../src/protocol/apis/44-incremental-alter-configs.ts";
import { alterPartitionReassignments } from "../../src/protocol/apis/45-alter-partition-reassignments.ts";
import { decodeResponse, encodeRequest } from "../../src/protocol/envelope.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import type { Api, RequestInit, Response } from "../../src/protocol/schema.ts";

type Configs = Readonly<Record<string, string>>;

interface Task {
  readonly to: NodeName;
  /** Asks once, on a connection of its own. */
  ask(end: ConnectionEnd): void;
  /** What an answer was: the task is over, or to be tried again. */
  isOver(frame: Uint8Array): boolean;
  /** Whether it is over, whatever came of it, once it was tried. */
  readonly once: boolean;
}

/** The error code of an answer, and the errors that say that there is nothing left to do. */
type Outcome = readonly [code: number, ...settled: ErrorName[]];

const TOPIC_RESOURCE = 2;
const SET = 0;
/** In place of an offset: the high watermark. */
const ALL_COMMITTED = -1;
const TOPIC_GONE = "UNKNOWN_TOPIC_OR_PARTITION";
const RETRY_MS = 150;
const TIMEOUT_MS = 3_000;

/** Whoever runs the cluster: changes topics, one thing after the other, each until the controller has done it. */
export class Admin {
  readonly #network: SimulatedNetwork;
  readonly #time: VirtualTime;
  readonly configs: Configs;
  readonly #tasks: Task[] = [];
  #busy = false;

  /** `configs` are those of every topic that is made. */
  constructor(network: SimulatedNetwork, time: VirtualTime, configs: Configs) {
    this.#network = network;
    this.#time = time;
    this.configs = configs;
  }

  get isIdle(): boolean {
    return this.#tasks.length === 0;
  }

  createTopic(name: string, numPartitions: number, configs: Configs = {}): void {
    const settings = Object.entries({ ...this.configs, ...configs }).map(([key, value]) => ({ name: key, value }));
    const topic = { name, numPartitions, replicationFactor: 3, assignments: [], configs: settings };
    const body = { topics: [topic], timeoutMs: TIMEOUT_MS, validateOnly: false };
    this.#do(createTopics, 7, body, ({ topics }) => [topics[0]!.errorCode, "TOPIC_ALREADY_EXISTS"]);
  }

  deleteTopic(name: string): void {
    const body = { topics: [{ name }], timeoutMs: TIMEOUT_MS };
    this.#do(deleteTopics, 6, body, ({ responses }) => [responses[0]!.errorCode, "UNKNOWN_TOPIC_OR_PARTITION"]);
  }

  createPartitions(name: string, count: number): void {
    const body = { topics: [{ name, count, assignments: null }], timeoutMs: TIMEOUT_MS, validateOnly: false };
    this.#do(createPartitions, 3, body, ({ results }) => [results[0]!.errorCode, "INVALID_PARTITIONS"]);
  }

  alterConfigs(name: string, values: Configs): void {
    const configs = Object.entries(values).map(([key, value]) => ({ name: key, configOperation: SET, value }));
    const resource = { resourceType: TOPIC_RESOURCE, resourceName: name, configs };
    const body = { resources: [resource], validateOnly: false };
    this.#do(incrementalAlterConfigs, 1, body, ({ responses }) => [responses[0]!.errorCode, TOPIC_GONE]);
  }

  /** Has the partition moved to other replicas; null takes that back. */
  reassign(name: string, partitionIndex: number, replicas: readonly number[] | null): void {
    const body = { timeoutMs: TIMEOUT_MS, topics: [{ name, partitions: [{ partitionIndex, replicas }] }] };
    this.#do(alterPartitionReassignments, 1, body, ({ responses }) => [
      responses[0]!.partitions[0]!.errorCode,
      TOPIC_GONE,
      // A broker has gone, or the move is over, or it cannot be taken back.
      "INVALID_REPLICA_ASSIGNMENT",
      "NO_REASSIGNMENT_IN_PROGRESS",
    ]);
  }

  /** Asks the leader, once, to delete everything that is committed. */
  deleteRecords(leader: NodeName, name: string, partitionIndex: number): void {
    const body = { timeoutMs: TIMEOUT_MS, topics: [{ name, partitions: [{ partitionIndex, offset: ALL_COMMITTED }] }] };
    this.#do(deleteRecords, 2, body, () => [0], { to: leader, once: true });
  }

  #do<A extends Api>(
    api: A,
    version: number,
    body: RequestInit<A>,
    outcome: (response: Response<A>) => Outcome,
    where: Pick<Task, "to" | "once"> = { to: SERVER, once: false },
  ): void {
    this.#tasks.push({
      ...where,
      ask: (end) => end.send(encodeRequest(api, version, { correlationId: 1, clientId: "admin" }, body)),
      isOver: (frame) => {
        const [code, ...settled] = outcome(decodeResponse(api, version, frame).body as Response<A>);
        return code === 0 || settled.includes(errorName(code));
      },
    });
    if (!this.#busy) this.#next();
  }

  #next(): void {
    const [task] = this.#tasks;
    this.#busy = task !== undefined;
    if (task === undefined) return;
    let isOpen = true;
    const settle = (isOver: boolean) => {
      if (!isOpen) return;
      isOpen = false;
      if (isOver || task.once) this.#tasks.shift();
      this.#time.after(isOver ? 0 : RETRY_MS, () => this.#next());
    };
    this.#network.dial("admin", task.to, (end) => this.#ask(task, end, settle), () => settle(false));
  }

  #ask(task: Task, end: ConnectionEnd, settle: (isOver: boolean) => void): void {
    end.receive({
      frame: (frame) => {
        settle(task.isOver(frame));
        end.close("the admin has its answer");
      },
      closed: () => settle(false),
    });
    task.ask(end);
    this.#time.after(TIMEOUT_MS, () => {
      settle(false);
      end.close("the admin waited long enough");
    });
  }
}
