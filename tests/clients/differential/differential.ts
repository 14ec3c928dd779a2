import type { Difference } from "./compare.ts";
import { differences } from "./compare.ts";
import { clusterConversations } from "./cluster-conversations.ts";
import { configConversations } from "./config-conversations.ts";
import { consumerGroupConversations } from "./consumer-group-conversations.ts";
import { groupConversations } from "./group-conversations.ts";
import { recordConversations } from "./record-conversations.ts";
import { Speaker, offeredVersions } from "./speaker.ts";
import type { Conversation } from "./speaker.ts";
import { topicConversations } from "./topic-conversations.ts";

const conversations = [
  ...configConversations,
  ...clusterConversations,
  ...topicConversations,
  ...recordConversations,
  ...groupConversations,
  ...consumerGroupConversations,
];

export interface Comparison {
  /** How many conversations both had, one for each version of an API that both offer. */
  readonly conversations: number;
  readonly exchanges: number;
  readonly differences: readonly Difference[];
  /** APIs that we offer in versions that Kafka does not. */
  readonly beyond: readonly string[];
}

/** Has every conversation with both brokers, in every version that both offer. */
export async function compareBrokers(tabstream: string, kafka: string, only = /^/): Promise<Comparison> {
  const [ours, theirs] = await Promise.all([offeredVersions(tabstream), offeredVersions(kafka)]);
  const shared = new Map<number, readonly [number, number]>();
  const beyond: string[] = [];
  for (const [key, [first, last]] of ours) {
    const [kafkaFirst, kafkaLast] = theirs.get(key) ?? [0, -1];
    if (first < kafkaFirst || last > kafkaLast) beyond.push(`api ${key}: ${first} to ${last}`);
    shared.set(key, [Math.max(first, kafkaFirst), Math.min(last, kafkaLast)]);
  }
  const latest = new Map([...shared].map(([key, [, last]]) => [key, last]));
  const result = { conversations: 0, exchanges: 0, differences: [] as Difference[], beyond };
  for (const { api, talk } of conversations) {
    const [first, last] = shared.get(api.key) ?? [0, -1];
    for (let version = Math.max(first, api.versions[0]); version <= last; version++) {
      const speakers = [tabstream, kafka].map((bootstrap) => new Speaker(bootstrap, latest, api, version));
      if (!only.test(speakers[0]!.name)) continue;
      await Promise.all(speakers.map((speaker) => converse(talk, speaker)));
      const [our, their] = speakers as [Speaker, Speaker];
      result.conversations++;
      result.exchanges += their.exchanges.length;
      result.differences.push(...differences(our.name, our.exchanges, their.exchanges));
    }
  }
  return result;
}

/** A conversation that cannot go on ends with the reason. */
async function converse(talk: Conversation["talk"], speaker: Speaker): Promise<void> {
  try {
    await talk(speaker);
  } catch (error) {
    speaker.note("the end", String(error));
  } finally {
    speaker.close();
  }
}
