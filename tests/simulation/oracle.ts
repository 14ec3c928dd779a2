import { partitionKey } from "../../src/log/stored-log.ts";
import type { PartitionKey } from "../../src/log/stored-log.ts";
import type { ClusterImage } from "../../src/metadata/image.ts";
import type { SimulatedTab } from "../../src/platform/simulated/simulated-tab.ts";
import { ViolationFound } from "./recorder.ts";
import type { Truth } from "./truth.ts";

/** What a tab was seen to be for one partition. */
interface Seen {
  leaderEpoch: number;
  highWatermark: number;
}

export interface OracleContext {
  readonly truth: Truth;
  readonly tabs: readonly SimulatedTab[];
  image(): ClusterImage | undefined;
  /** A tab whose storage was tampered with and that has not registered since: what it held no longer counts. */
  isDamaged(tab: SimulatedTab): boolean;
  mark(name: string): void;
}

/**
 * The rules that hold after every single event, whatever went wrong before. The cheap part looks at the one tab that
 * something happened to; whole logs are compared only when somebody begins to lead.
 */
export class Oracle {
  readonly #context: OracleContext;
  readonly #seen = new Map<string, Seen>();
  /** Who led in an epoch: nobody else ever may. */
  readonly #leaders = new Map<string, string>();
  #keys: readonly PartitionKey[] = [];

  constructor(context: OracleContext) {
    this.#context = context;
  }

  follow(topicId: string, partitions: number): void {
    this.#keys = Array.from({ length: partitions }, (_, index) => partitionKey(topicId, index));
  }

  look(tab: SimulatedTab): void {
    const { core } = tab;
    if (core === undefined) return;
    for (let partition = 0; partition < this.#keys.length; partition++) {
      const key = this.#keys[partition]!;
      const replica = core.replica(key);
      if (replica === undefined) continue;
      const { log, role } = replica;
      const offsets = [log.logStartOffset, log.highWatermark, log.logEndOffset, log.nextOffset] as const;
      if (offsets[0] > offsets[1] || offsets[1] > offsets[2] || offsets[2] > offsets[3]) {
        fail("offsets-in-order", `${tab.name}, partition ${partition}: ${offsets.join(", ")}`);
      }
      if (role.kind !== "leader") continue;
      const { leaderEpoch, highWatermark } = role.state;
      const name = `${tab.name}#${tab.starts}/${key}`;
      let seen = this.#seen.get(name);
      if (seen === undefined || seen.leaderEpoch !== leaderEpoch) {
        seen = { leaderEpoch, highWatermark: 0 };
        this.#seen.set(name, seen);
        this.#beginsToLead(tab, partition, leaderEpoch, log.logEndOffset);
      }
      if (highWatermark === seen.highWatermark) continue;
      if (highWatermark < seen.highWatermark) fail("high-watermark-monotonic", `${tab.name}, partition ${partition}`);
      if (highWatermark > log.logEndOffset) fail("high-watermark-in-log", `${tab.name}, partition ${partition}`);
      this.#committed(tab, partition, seen.highWatermark, highWatermark);
      seen.highWatermark = highWatermark;
    }
  }

  #beginsToLead(tab: SimulatedTab, partition: number, leaderEpoch: number, logEndOffset: number): void {
    const { truth, mark } = this.#context;
    const key = `${partition}/${leaderEpoch}`;
    const leader = `${tab.core!.nodeId} in broker epoch ${tab.core!.self()?.brokerEpoch}`;
    const other = this.#leaders.get(key);
    if (other !== undefined && other !== leader) {
      fail("one-leader-per-epoch", `partition ${key}: ${other} and ${leader}`);
    }
    this.#leaders.set(key, leader);
    mark(leaderEpoch > 0 ? "failover" : "first leader");
    const committed = truth.endOffset(partition);
    // A leader of an older epoch may not have heard that it was replaced.
    const current = this.#context.image()?.topicNamed("t")?.partitions[partition]?.leaderEpoch ?? -1;
    if (leaderEpoch < current) return mark("stale leader");
    if (logEndOffset < committed) {
      const evidence = `${tab.name} leads partition ${partition} from ${logEndOffset} on, ${committed} was committed`;
      fail("leader-completeness", evidence);
    }
    if (logEndOffset > committed) mark("uncommitted tail at election");
    this.#compare(tab, partition, 0, Number.POSITIVE_INFINITY, false);
  }

  #committed(tab: SimulatedTab, partition: number, from: number, to: number): void {
    const { truth, tabs, image, isDamaged } = this.#context;
    const isNew = to > truth.endOffset(partition);
    this.#compare(tab, partition, from, to, true);
    if (!isNew) return;
    const key = this.#keys[partition]!;
    for (const nodeId of image()?.topicNamed("t")?.partitions[partition]?.isr ?? []) {
      const holder = tabs.find(({ storage }) => storage.image.identity.brokerId === nodeId);
      if (holder === undefined || isDamaged(holder)) continue;
      const end = holder.storage.image.logs.endOffset(key);
      if (end < to) {
        const evidence = `${tab.name} committed ${to} of partition ${partition}, ${holder.name} is in sync at ${end}`;
        fail("in-sync-is-complete", evidence);
      }
    }
  }

  #compare(tab: SimulatedTab, partition: number, from: number, to: number, commits: boolean): void {
    const chunks = tab.storage.image.logs.read(this.#keys[partition]!, from, Number.POSITIVE_INFINITY);
    const violation = this.#context.truth.compare(partition, chunks, to, commits);
    if (violation !== undefined) fail(violation.rule, `${tab.name}: ${violation.evidence}`);
    if (commits && this.#context.truth.endOffset(partition) < to) {
      fail("committed-is-durable", `${tab.name} committed ${to} of partition ${partition}, which it has not stored`);
    }
  }
}

function fail(rule: string, evidence: string): never {
  throw new ViolationFound({ rule, evidence });
}
