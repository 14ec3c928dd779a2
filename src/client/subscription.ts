import type { StartAt } from "./assigned-partition.ts";
import type { TopicPartition } from "./fetch-position.ts";
import type { ClusterImage } from "../metadata/image.ts";
import { isInternalTopic } from "../metadata/topic-name.ts";

/** Which topics a consumer or its group reads, and what that means in the cluster as it is. */
export class Subscription {
  readonly #topics: (string | RegExp)[] = [];
  /** Where to start in the partitions that were there when their topic was subscribed to, by partition and topic id. */
  readonly #starts = new Map<string, StartAt>();

  get isEmpty(): boolean {
    return this.#topics.length === 0;
  }

  add(topic: string | RegExp, fromBeginning: boolean, image: ClusterImage): void {
    this.#topics.push(topic);
    for (const { topic: name, partition } of this.partitions(image)) {
      const key = keyOf(partition, image.topicsByName.get(name));
      if (matches(topic, name)) this.#starts.set(key, { kind: fromBeginning ? "earliest" : "latest" });
    }
  }

  /** The names of the topics, sorted. */
  topics(image: ClusterImage): string[] {
    return [...image.topicsByName.keys()].filter((name) => this.#topics.some((topic) => matches(topic, name))).sort();
  }

  /** Where to start in a partition of which nothing was read. */
  startOf({ topic, partition }: TopicPartition, image: ClusterImage): StartAt {
    return this.#starts.get(keyOf(partition, image.topicsByName.get(topic))) ?? { kind: "earliest" };
  }

  /**
   * The partitions to read. One that appeared after its subscription is read from its beginning: all of it is new, also
   * where its topic was deleted and created again.
   */
  partitions(image: ClusterImage): (TopicPartition & { readonly start: StartAt })[] {
    const found: (TopicPartition & { readonly start: StartAt })[] = [];
    for (const { name, partitions } of image.topics.values()) {
      if (!this.#topics.some((topic) => matches(topic, name))) continue;
      for (const { partitionIndex } of partitions) {
        const where = { topic: name, partition: partitionIndex };
        found.push({ ...where, start: this.startOf(where, image) });
      }
    }
    return found;
  }
}

function keyOf(partition: number, topicId: string | undefined): string {
  return `${partition}/${topicId}`;
}

function matches(wanted: string | RegExp, name: string): boolean {
  if (typeof wanted === "string") return wanted === name;
  // A regular expression with the flag g or y remembers where it matched last.
  wanted.lastIndex = 0;
  return wanted.test(name) && !isInternalTopic(name);
}
