import type { Admin, BrokerStatus, ClusterView, GroupOverview } from "../index.ts";
import type { StorageRoom } from "../inspector/advice.ts";
import { clusterNews } from "../inspector/cluster-news.ts";
import type { LogFigures } from "../inspector/cluster-picture.ts";
import { partitionName } from "../inspector/partition-name.ts";
import type { ReadBatch } from "../inspector/topic-reader.ts";

/** Topics that are asked for their settings at once. */
const TOPICS_ASKED = 50;

export interface Changes {
  /** Partitions that have a new leader epoch. */
  readonly elected: readonly string[];
  /** Topics that were deleted; there may be others of their names by now. */
  readonly gone: readonly string[];
  /** All of it for people, in sentences. */
  readonly news: readonly string[];
}

/** Everything that the page has been told about the cluster, and when a leader changed. */
export class Observations {
  status: BrokerStatus | undefined;
  view: ClusterView | undefined;
  room: StorageRoom | undefined;
  startError: string | undefined;
  /** Undefined until they have been asked for. */
  groups: readonly GroupOverview[] | undefined;
  readonly minIsr = new Map<string, number>();
  readonly #highWatermarks = new Map<string, number>();
  readonly #epochs = new Map<string, number>();
  readonly #topicIds = new Map<string, string>();
  #rate = 0;
  #measured: { readonly ends: ReadonlyMap<string, number>; readonly atMs: number } | undefined;

  /** Takes the new view, and returns what has changed since the last one. */
  onView(view: ClusterView): Changes {
    const news = this.view === undefined ? [] : clusterNews(this.view, view);
    this.view = view;
    const gone = this.#forgetGone(view);
    const elected: string[] = [];
    for (const topic of view.topics) {
      for (const { partitionIndex, leaderEpoch } of topic.partitions) {
        const name = partitionName(topic.name, partitionIndex);
        const before = this.#epochs.get(name);
        if (before !== undefined && leaderEpoch > before) elected.push(name);
        this.#epochs.set(name, leaderEpoch);
      }
    }
    return { elected, gone, news };
  }

  #forgetGone(view: ClusterView): readonly string[] {
    const ids = new Map(view.topics.map(({ name, topicId }) => [name, topicId]));
    const gone = [...this.#topicIds].filter(([name, topicId]) => ids.get(name) !== topicId).map(([name]) => name);
    for (const topic of gone) {
      this.#topicIds.delete(topic);
      this.minIsr.delete(topic);
      for (const name of this.#epochs.keys()) {
        if (name.slice(0, name.lastIndexOf("-")) !== topic) continue;
        this.#epochs.delete(name);
        this.#highWatermarks.delete(name);
      }
    }
    for (const [name, topicId] of ids) this.#topicIds.set(name, topicId);
    return gone;
  }

  onRead(topic: string, { partition, records, behind }: ReadBatch): void {
    const last = records.at(-1);
    if (last !== undefined) this.#highWatermarks.set(partitionName(topic, partition), last.offset + 1 + behind);
  }

  /** What is known of each log, by `partitionName`. */
  figures(): ReadonlyMap<string, LogFigures> {
    const figures = new Map<string, LogFigures>();
    for (const [name, highWatermark] of this.#highWatermarks) figures.set(name, { highWatermark, own: undefined });
    for (const own of this.status?.partitions ?? []) {
      const name = partitionName(own.topic, own.partitionIndex);
      // A follower hears of the high watermark one fetch late; what was read from the leader may be newer.
      figures.set(name, { highWatermark: Math.max(own.highWatermark, this.#highWatermarks.get(name) ?? 0), own });
    }
    return figures;
  }

  /** Records per second that this tab's logs gained, as last measured. */
  get rate(): number {
    return this.#rate;
  }

  /** To be called about once a second. */
  measureRate(nowMs: number): void {
    const ends = new Map(
      (this.status?.partitions ?? []).map((copy) => [
        partitionName(copy.topic, copy.partitionIndex),
        copy.logEndOffset,
      ]),
    );
    const before = this.#measured;
    this.#measured = { ends, atMs: nowMs };
    if (before === undefined || nowMs <= before.atMs) return;
    let gained = 0;
    for (const [name, end] of ends) gained += Math.max(0, end - (before.ends.get(name) ?? end));
    this.#rate = (gained * 1000) / (nowMs - before.atMs);
  }

  /** Asks for the ends of the logs that this tab holds no copy of, and for settings not yet known. */
  async ask(admin: Admin, shown: readonly string[]): Promise<void> {
    // A stopped broker's numbers stand still.
    const own =
      this.status?.state === "running" ? new Set(this.status.partitions.map((copy) => copy.topic)) : new Set();
    for (const topic of shown) {
      if (own.has(topic)) continue;
      for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
        this.#highWatermarks.set(partitionName(topic, partition), Number(high));
      }
    }
    const unknown = (this.view?.topics ?? []).map((topic) => topic.name).filter((name) => !this.minIsr.has(name));
    for (const name of unknown.slice(0, TOPICS_ASKED)) {
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: TOPIC_RESOURCE, name, configNames: ["min.insync.replicas"] }],
      });
      const value = resources[0]?.configEntries.find(
        (entry) => entry.configName === "min.insync.replicas",
      )?.configValue;
      if (value !== undefined && value !== null) this.minIsr.set(name, Number(value));
    }
  }

  async askGroups(admin: Admin): Promise<void> {
    const { groups } = await admin.listGroups();
    this.groups = [...groups].sort((left, right) => (left.groupId < right.groupId ? -1 : 1));
  }

  /** A browser that cannot say leaves the room unknown; the broker does without. */
  async measureStorage(): Promise<void> {
    try {
      const [{ usage = 0, quota = 0 }, persisted] = await Promise.all([
        navigator.storage.estimate(),
        navigator.storage.persisted(),
      ]);
      this.room = { usedBytes: usage, quotaBytes: quota, persisted };
    } catch {
      this.room = undefined;
    }
  }

  /** Asks the browser to keep this site's storage when the disk runs short. What it answers shows in the room. */
  async keepStorage(): Promise<void> {
    await navigator.storage.persist().catch(() => false);
    await this.measureStorage();
  }
}

/** Kafka's number for a topic among the resources that have a configuration. */
const TOPIC_RESOURCE = 2;
