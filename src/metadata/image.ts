import { CorruptMessageError } from "../protocol/errors.ts";
import type {
  MetadataRecord,
  MetadataRecordInit,
  MetadataRecordOf,
} from "../protocol/metadata-records/registry.ts";
import { NO_LEADER } from "./partition.ts";
import type { Partition } from "./partition.ts";
import { appliedPartitionChange, partitionRecord, registeredPartition } from "./partition-records.ts";

export interface Listener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** A broker as it registered last. Immutable, like a `Partition`. */
export interface BrokerRegistration {
  readonly brokerId: number;
  readonly directoryId: string;
  /** Differs between two starts of one broker. */
  readonly incarnationId: string;
  /** The offset of its registration in the metadata log, hence ever higher. */
  readonly brokerEpoch: number;
  /** A fenced broker neither leads nor counts as in sync. */
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
  readonly rack: string | null;
  readonly listeners: readonly Listener[];
}

export interface Topic {
  readonly topicId: string;
  readonly name: string;
  /** By partition index. Elements are replaced when a partition changes. */
  readonly partitions: Partition[];
}

/** What the controller knows of a storage directory: the state it must present at its next registration. */
export interface StorageDirectory {
  readonly directoryId: string;
  /** The node id that the directory has for life. */
  readonly brokerId: number;
  readonly generation: number;
  readonly nonce: string;
  /** Whether the broker said that it stored this generation and nonce. */
  readonly confirmed: boolean;
  readonly durability: string;
}

/** What a record changed. Whoever acts on changes looks up the new state in the image; it may be gone. */
export type ImageChange =
  | { readonly kind: "broker"; readonly brokerId: number }
  /** The topic was created or removed. */
  | { readonly kind: "topic"; readonly topicId: string }
  | { readonly kind: "partition"; readonly topicId: string; readonly partitionIndex: number }
  | { readonly kind: "config"; readonly resourceType: number; readonly resourceName: string };

export const TOPIC_RESOURCE = 2;
/** The empty resource name stands for the default of all brokers. */
export const BROKER_RESOURCE = 4;

const NO_CONFIG: ReadonlyMap<string, string> = new Map();

/** The state of the cluster after a prefix of the metadata log. The same records give the same image everywhere. */
export class ClusterImage {
  /** Empty until the first record has been applied. */
  clusterId = "";
  readonly brokers = new Map<number, BrokerRegistration>();
  readonly directories = new Map<string, StorageDirectory>();
  readonly topics = new Map<string, Topic>();
  /** The id of each topic by its name. */
  readonly topicsByName = new Map<string, string>();
  readonly #configs = new Map<string, Map<string, string>>();
  /** Where the next block of producer ids starts. */
  nextProducerId = 0;
  /** The offset after the last record applied. */
  endOffset = 0;
  /** The controller epoch of the last record applied. */
  epoch = -1;

  configOf(resourceType: number, resourceName: string): ReadonlyMap<string, string> {
    return this.#configs.get(configKey(resourceType, resourceName)) ?? NO_CONFIG;
  }

  topicNamed(name: string): Topic | undefined {
    const topicId = this.topicsByName.get(name);
    return topicId === undefined ? undefined : this.topics.get(topicId);
  }

  partition(topicId: string, partitionIndex: number): Partition | undefined {
    return this.topics.get(topicId)?.partitions[partitionIndex];
  }

  *partitions(): Generator<Partition> {
    for (const topic of this.topics.values()) yield* topic.partitions;
  }

  /** Whether the broker may lead and be in sync. */
  isActive(brokerId: number): boolean {
    const broker = this.brokers.get(brokerId);
    return broker !== undefined && !broker.fenced && !broker.inControlledShutdown;
  }

  /** Applies one record; offset and epoch are the caller's to keep, for they belong to batches. */
  apply(record: MetadataRecord): ImageChange | undefined {
    switch (record.type) {
      case "ClusterRecord":
        expect(this.clusterId === "" || this.clusterId === record.clusterId, "a cluster keeps its id");
        this.clusterId = record.clusterId;
        return undefined;
      case "RegisterBrokerRecord":
        return this.#register(record);
      case "UnregisterBrokerRecord":
        return this.#unregister(record.brokerId);
      case "BrokerRegistrationChangeRecord":
        return this.#changeBroker(record.brokerId, {
          ...(record.fenced === 0 ? {} : { fenced: record.fenced === 1 }),
          ...(record.inControlledShutdown === 1 ? { inControlledShutdown: true } : {}),
        });
      case "FenceBrokerRecord":
        return this.#changeBroker(record.id, { fenced: true });
      case "UnfenceBrokerRecord":
        return this.#changeBroker(record.id, { fenced: false });
      case "StorageIdentityRecord":
        return this.#identify(record);
      case "TopicRecord":
        this.topics.set(record.topicId, { topicId: record.topicId, name: record.name, partitions: [] });
        this.topicsByName.set(record.name, record.topicId);
        return { kind: "topic", topicId: record.topicId };
      case "RemoveTopicRecord":
        return this.#removeTopic(record.topicId);
      case "PartitionRecord":
        return this.#setPartition(registeredPartition(record));
      case "PartitionChangeRecord": {
        const before = this.partition(record.topicId, record.partitionId);
        expect(before !== undefined, "a partition exists before it changes");
        return this.#setPartition(appliedPartitionChange(before, record));
      }
      case "ConfigRecord":
        return this.#configure(record);
      case "ProducerIdsRecord":
        this.nextProducerId = record.nextProducerId;
        return undefined;
      case "NoOpRecord":
        return undefined;
    }
  }

  /** Records that make an equal image, but for offset and epoch: what a snapshot holds. */
  toRecords(): MetadataRecordInit[] {
    const records: MetadataRecordInit[] = [];
    if (this.clusterId !== "") records.push({ type: "ClusterRecord", clusterId: this.clusterId });
    for (const broker of this.brokers.values()) records.push(registerBrokerRecord(broker));
    for (const directory of this.directories.values()) records.push({ type: "StorageIdentityRecord", ...directory });
    for (const { topicId, name, partitions } of this.topics.values()) {
      records.push({ type: "TopicRecord", topicId, name });
      for (const partition of partitions) records.push(partitionRecord(partition));
    }
    for (const [key, config] of this.#configs) {
      const resourceType = Number.parseInt(key, 10);
      const resourceName = key.slice(key.indexOf("/") + 1);
      for (const [name, value] of config) {
        records.push({ type: "ConfigRecord", resourceType, resourceName, name, value });
      }
    }
    if (this.nextProducerId > 0) {
      records.push({ type: "ProducerIdsRecord", brokerId: -1, nextProducerId: this.nextProducerId });
    }
    return records;
  }

  #register(record: MetadataRecordOf<"RegisterBrokerRecord">): ImageChange {
    const { brokerId, incarnationId, brokerEpoch, fenced, inControlledShutdown, rack } = record;
    const [directoryId] = record.logDirs;
    expect(directoryId !== undefined, "a broker registers with its storage directory");
    const listeners = record.endPoints.map(({ name, host, port }) => ({ name, host, port }));
    this.brokers.set(brokerId, {
      brokerId,
      directoryId,
      incarnationId,
      brokerEpoch,
      fenced,
      inControlledShutdown,
      rack,
      listeners,
    });
    return { kind: "broker", brokerId };
  }

  #unregister(brokerId: number): ImageChange {
    const broker = this.brokers.get(brokerId);
    if (broker !== undefined) this.directories.delete(broker.directoryId);
    this.brokers.delete(brokerId);
    return { kind: "broker", brokerId };
  }

  #changeBroker(brokerId: number, change: Partial<BrokerRegistration>): ImageChange {
    const broker = this.brokers.get(brokerId);
    expect(broker !== undefined, "a broker is registered before it changes");
    this.brokers.set(brokerId, { ...broker, ...change });
    return { kind: "broker", brokerId };
  }

  #identify(record: MetadataRecordOf<"StorageIdentityRecord">): undefined {
    const { directoryId, brokerId, generation, nonce, confirmed, durability } = record;
    this.directories.set(directoryId, { directoryId, brokerId, generation, nonce, confirmed, durability });
  }

  #removeTopic(topicId: string): ImageChange {
    const topic = this.topics.get(topicId);
    expect(topic !== undefined, "a topic exists before it is removed");
    this.topics.delete(topicId);
    this.topicsByName.delete(topic.name);
    this.#configs.delete(configKey(TOPIC_RESOURCE, topic.name));
    return { kind: "topic", topicId };
  }

  #setPartition(partition: Partition): ImageChange {
    const { topicId, partitionIndex } = partition;
    const topic = this.topics.get(topicId);
    expect(topic !== undefined, "a topic exists before its partitions");
    expect(partitionIndex <= topic.partitions.length, "the partitions of a topic are numbered without a gap");
    expect(partition.leader === NO_LEADER || partition.isr.includes(partition.leader), "a leader is in sync");
    topic.partitions[partitionIndex] = partition;
    return { kind: "partition", topicId, partitionIndex };
  }

  #configure(record: MetadataRecordOf<"ConfigRecord">): ImageChange {
    const { resourceType, resourceName, name, value } = record;
    const key = configKey(resourceType, resourceName);
    const config = this.#configs.get(key) ?? new Map<string, string>();
    if (value === null) config.delete(name);
    else config.set(name, value);
    if (config.size === 0) this.#configs.delete(key);
    else this.#configs.set(key, config);
    return { kind: "config", resourceType, resourceName };
  }
}

/** The record of a broker's registration, in whatever state it is. */
export function registerBrokerRecord(broker: BrokerRegistration): MetadataRecordInit {
  const { brokerId, incarnationId, brokerEpoch, rack, fenced, inControlledShutdown } = broker;
  return {
    type: "RegisterBrokerRecord",
    brokerId,
    incarnationId,
    brokerEpoch,
    endPoints: broker.listeners.map((listener) => ({ ...listener, securityProtocol: 0 })),
    rack,
    fenced,
    inControlledShutdown,
    logDirs: [broker.directoryId],
  };
}

/** What a log must be like to be one; a log that is not comes from a broken disk or a hostile server. */
function expect(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new CorruptMessageError(`the metadata log breaks a rule: ${sentence}`);
}

function configKey(resourceType: number, resourceName: string): string {
  return `${resourceType}/${resourceName}`;
}
