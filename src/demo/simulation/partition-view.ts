import type { SimulatedCluster } from "../../../tests/simulation/simulated-cluster.ts";
import { TOPIC } from "../../../tests/simulation/topics.ts";
import { partitionKey } from "../../log/stored-log.ts";
import type { EpochStart, PartitionKey } from "../../log/stored-log.ts";
import type { Partition } from "../../metadata/partition.ts";
import type { SimulatedTab } from "../../platform/simulated/simulated-tab.ts";
import type { StoredLogs } from "../../platform/simulated/stored-logs.ts";
import { copyOf } from "./tab-view.ts";
import type { CopyRole } from "./tab-view.ts";

/** What one leader epoch wrote of a log. The end is exclusive. */
export interface EpochSpan {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
}

export interface ReplicaView {
  readonly tab: string;
  readonly role: CopyRole;
  /** False while no page is there that could serve it: what is shown is what its disk holds. */
  readonly isAlive: boolean;
  readonly highWatermark: number;
  readonly logEndOffset: number;
  /** Behind the log end lies what is being written. */
  readonly nextOffset: number;
  readonly epochs: readonly EpochSpan[];
}

export interface PartitionView {
  readonly index: number;
  readonly leaderEpoch: number;
  /** The leader's tab; undefined while nobody leads. */
  readonly leader: string | undefined;
  readonly inSync: number;
  /** Where the committed records end, as the oracle has seen it: no leader may ever lack one of them. */
  readonly committed: number;
  readonly replicas: readonly ReplicaView[];
}

export function partitionViews({ server, tabs, truth }: SimulatedCluster): readonly PartitionView[] {
  return (server.image?.topicNamed(TOPIC)?.partitions ?? []).map((partition) => {
    const replicas = tabs
      .filter((tab) => copyOf(tab, partition).role !== "none" && isNewest(tab, tabs))
      .map((tab) => replicaView(tab, partition));
    return {
      index: partition.partitionIndex,
      leaderEpoch: partition.leaderEpoch,
      leader: replicas.find(({ role }) => role === "leader")?.tab,
      inSync: partition.isr.length,
      committed: truth.endOffset(`${TOPIC}-${partition.partitionIndex}`),
      replicas,
    };
  });
}

/** Copied storage has the same broker id; the cluster knows at most one of its tabs. */
function isNewest(tab: SimulatedTab, tabs: readonly SimulatedTab[]): boolean {
  if (tab.core?.self() !== undefined) return true;
  const { brokerId } = tab.storage.image.identity;
  const same = tabs.filter(({ storage }) => storage.image.identity.brokerId === brokerId);
  return same.every(({ core }) => core?.self() === undefined) && same[0] === tab;
}

function replicaView(tab: SimulatedTab, partition: Partition): ReplicaView {
  const key = partitionKey(partition.topicId, partition.partitionIndex);
  const { role } = copyOf(tab, partition);
  const log = tab.core?.replica(key)?.log;
  if (log === undefined) {
    const stored = storedLog(tab.storage.image.logs, key);
    return { tab: tab.name, role, isAlive: false, ...stored };
  }
  const { highWatermark, logEndOffset, nextOffset, logStartOffset, epochs } = log;
  return {
    tab: tab.name,
    role,
    isAlive: true,
    highWatermark,
    logEndOffset,
    nextOffset,
    epochs: epochSpans(epochs.entries, logStartOffset, nextOffset),
  };
}

type StoredLogView = Pick<ReplicaView, "highWatermark" | "logEndOffset" | "nextOffset" | "epochs">;

/** A disk image never changes, and reading one through takes long. */
const storedLogs = new WeakMap<StoredLogs, Map<PartitionKey, StoredLogView>>();

function storedLog(logs: StoredLogs, key: PartitionKey): StoredLogView {
  const views = storedLogs.get(logs) ?? readLogs(logs);
  storedLogs.set(logs, views);
  return views.get(key) ?? { highWatermark: 0, logEndOffset: 0, nextOffset: 0, epochs: [] };
}

function readLogs(logs: StoredLogs): Map<PartitionKey, StoredLogView> {
  return new Map(
    logs.load().map(({ metadata }) => {
      const key = partitionKey(metadata.topicId, metadata.partitionIndex);
      const end = logs.endOffset(key);
      const epochs = epochSpans(metadata.epochs, metadata.logStartOffset, end);
      const highWatermark = Math.min(metadata.highWatermark, end);
      return [key, { highWatermark, logEndOffset: end, nextOffset: end, epochs }];
    }),
  );
}

export function epochSpans(entries: readonly EpochStart[], startOffset: number, endOffset: number): EpochSpan[] {
  return entries.flatMap(({ epoch, startOffset: own }, index) => {
    const from = Math.max(own, startOffset);
    const to = Math.min(entries[index + 1]?.startOffset ?? endOffset, endOffset);
    return from < to ? [{ epoch, from, to }] : [];
  });
}
