import { CompactionPass, STEP_BYTES } from "../log/compaction-pass.ts";
import { CorruptMessageError } from "../protocol/errors.ts";
import type { Broker } from "./broker.ts";
import type { Replica } from "./replica.ts";

/**
 * Compacts the logs of topics with `cleanup.policy` compact, one after another and in small steps, so that it takes
 * little memory and never keeps a request waiting for long. Leaders and followers compact by themselves, as in Kafka.
 */
export class Compactor {
  readonly #broker: Broker;
  #waiting: Replica[] = [];
  #isBusy = false;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Looks for logs to compact, unless some are left from the last look. */
  begin(replicas: Iterable<Replica>, nowMs: number): void {
    if (this.#isBusy) return;
    this.#waiting = [...replicas].filter(({ config }) => config.cleanupPolicy.includes("compact"));
    this.#next(nowMs);
  }

  #next(nowMs: number): void {
    this.#isBusy = false;
    for (let replica = this.#waiting.shift(); replica !== undefined; replica = this.#waiting.shift()) {
      const { log, config, role } = replica;
      // A copy that has no part in replication may be cut, or deleted, by the next metadata.
      if (role.kind === "offline") continue;
      const range = log.cleanable(config, this.#broker.wallMs(nowMs));
      if (range === undefined) continue;
      this.#isBusy = true;
      return this.#step(replica, new CompactionPass(log, range, config));
    }
  }

  #step(replica: Replica, pass: CompactionPass): void {
    const { nextOffset } = pass;
    if (nextOffset === undefined || replica.role.kind === "offline") return this.#next(this.#broker.nowMs);
    this.#broker.readOpened(replica, nextOffset, STEP_BYTES, (chunks, opened) => {
      // A deleted log takes nothing more.
      if (this.#broker.replica(replica.key) !== replica) return this.#next(this.#broker.nowMs);
      try {
        const operations = pass.step(chunks, {
          nowMs: this.#broker.wallMs(this.#broker.nowMs),
          opened: opened ?? new Map(),
          forgetBelow: this.#slowestCopy(replica),
        });
        if (operations.length === 0) return this.#step(replica, pass);
        this.#broker.rewrite(operations, () => this.#step(replica, pass));
      } catch (error) {
        if (!(error instanceof CorruptMessageError)) throw error;
        this.#broker.damaged(error);
      }
    });
  }

  #slowestCopy({ role, assignment }: Replica): number {
    if (role.kind !== "leader") return Number.POSITIVE_INFINITY;
    const { image } = this.#broker;
    return role.copies.slowest((nodeId) => assignment?.replicas.includes(nodeId) === true && image.isActive(nodeId));
  }
}
