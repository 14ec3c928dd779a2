import type { ErrorName } from "../protocol/error-codes.ts";
import type { GroupRecord } from "../protocol/group-records/registry.ts";
import type { ClassicGroup } from "./classic-group.ts";
import type { CommittedOffsets } from "./committed-offsets.ts";
import type { ConsumerGroup } from "./consumer-group.ts";
import type { CoordinatorConfig } from "./coordinator-config.ts";
import type { Reply } from "./reply.ts";
import type { Timers } from "./timers.ts";
import type { Topics } from "./topics.ts";

export type Group = ClassicGroup | ConsumerGroup;

/** What the parts of a shard share while one event is handled. */
export interface ShardState {
  readonly config: CoordinatorConfig;
  /**
   * Follows each decision at once, ahead of what is committed, as do the offsets. Nobody is told of it before it is.
   */
  readonly groups: Map<string, Group>;
  readonly offsets: CommittedOffsets;
  readonly timers: Timers;
  readonly topics: Topics;
  readonly nowMs: number;
  /** Milliseconds since 1970, for timestamps in records. */
  readonly wallMs: number;
  uuid(): string;
  /** Makes a record part of the decision at hand, and replays it right away. */
  commit(record: GroupRecord): void;
  /** Answers once everything decided so far is committed. */
  answer<Response>(reply: Reply<Response>, outcome: Response | ErrorName): void;
}
