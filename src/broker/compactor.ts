import { JoiningPass } from "../log/chunk-joining.ts";
import { CompactionPass, STEP_BYTES } from "../log/compaction-pass.ts";
import type { StoreOperation } from "../log/stored-log.ts";
import type { TopicConfig } from "../metadata/topic-config.ts";
import { CorruptMessageError } from "../protocol/errors.ts";
import type { Broker } from "./broker.ts";
import type { Replica } from "./replica.ts";

/** Of the time that a record is kept, the part by which a chunk that was joined may keep it longer. */
const JOINED_PART_OF_AGE = 1 / 100;

/**
 * Compacts the logs of topics with `cleanup.policy` compact, and joins the small chunks of all others, one after another
 * and in small steps, so that it takes little memory and never keeps a request waiting for long. Leaders and followers
 * do so by themselves, as in Kafka.
 */
export class Compactor {
  readonly #broker: Broker;
  #waiting: Replica[] = [];
  #isBusy = false;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Looks for logs to work on, unless some are left from the last look. */
  begin(replicas: Iterable<Replica>, nowMs: number): void {
    if (this.#isBusy) return;
    this.#waiting = [...replicas];
    this.#next(nowMs);
  }

  #next(nowMs: number): void {
    this.#isBusy = false;
    for (let replica = this.#waiting.shift(); replica !== undefined; replica = this.#waiting.shift()) {
      const { log, config, role } = replica;
      // A copy that has no part in replication may be cut, or deleted, by the next metadata.
      if (role.kind === "offline") continue;
      const isCompacted = config.cleanupPolicy.includes("compact");
      const range = isCompacted ? log.cleanable(config, this.#broker.wallMs(nowMs)) : undefined;
      if (range !== undefined) {
        this.#isBusy = true;
        return this.#compact(replica, new CompactionPass(log, range, config));
      }
      const pass = new JoiningPass(log, { ...this.#broker.config.joining, stretchMs: stretchOf(config) });
      if (pass.next === undefined) continue;
      this.#isBusy = true;
      return this.#join(replica, pass);
    }
  }

  #compact(replica: Replica, pass: CompactionPass): void {
    const { nextOffset } = pass;
    if (nextOffset === undefined || replica.role.kind === "offline") return this.#next(this.#broker.nowMs);
    const work = { replica, goOn: () => this.#compact(replica, pass) };
    this.#broker.readOpened(replica, nextOffset, STEP_BYTES, (chunks, opened) =>
      this.#rewrite(work, () =>
        pass.step(chunks, {
          nowMs: this.#broker.wallMs(this.#broker.nowMs),
          opened: opened ?? new Map(),
          forgetBelow: this.#slowestCopy(replica),
        }),
      ),
    );
  }

  #join(replica: Replica, pass: JoiningPass): void {
    const { next } = pass;
    if (next === undefined || replica.role.kind === "offline") return this.#next(this.#broker.nowMs);
    const work = { replica, goOn: () => this.#join(replica, pass) };
    this.#broker.read(replica, next.baseOffset, next.sizeInBytes, (chunks) =>
      this.#rewrite(work, () => pass.step(chunks)),
    );
  }

  #rewrite({ replica, goOn }: { replica: Replica; goOn: () => void }, step: () => readonly StoreOperation[]): void {
    // A deleted log takes nothing more.
    if (this.#broker.replica(replica.key) !== replica) return this.#next(this.#broker.nowMs);
    try {
      const operations = step();
      if (operations.length === 0) return goOn();
      this.#broker.rewrite(replica, operations, goOn);
    } catch (error) {
      if (!(error instanceof CorruptMessageError)) throw error;
      this.#broker.damaged(error);
    }
  }

  #slowestCopy({ role, assignment }: Replica): number {
    if (role.kind !== "leader") return Number.POSITIVE_INFINITY;
    const { image } = this.#broker;
    return role.copies.slowest((nodeId) => assignment?.replicas.includes(nodeId) === true && image.isActive(nodeId));
  }
}

function stretchOf({ cleanupPolicy, retentionMs, maxCompactionLagMs }: TopicConfig): number {
  const isDeleted = cleanupPolicy.includes("delete") && retentionMs >= 0;
  const ageMs = Math.min(isDeleted ? retentionMs : Number.POSITIVE_INFINITY, maxCompactionLagMs);
  return Math.max(1, ageMs * JOINED_PART_OF_AGE);
}
