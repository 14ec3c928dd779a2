import { randomUUID } from "node:crypto";
import { decodeCorrelationId, decodeResponse, encodeRequest } from "../../src/protocol/envelope.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import type { MetadataResponse } from "../../src/protocol/apis/03-metadata.ts";
import { createTopics } from "../../src/protocol/apis/19-create-topics.ts";
import { brokerRegistration } from "../../src/protocol/apis/62-broker-registration.ts";
import { brokerHeartbeat } from "../../src/protocol/apis/63-broker-heartbeat.ts";
import type { Api } from "../../src/protocol/schema.ts";

/** A way to a controller: a tab's socket, or none at all. */
export interface FramePath {
  sendFrame(frame: Uint8Array): void;
  takeFrame(): Promise<Uint8Array>;
}

/** Speaks Kafka to the controller, one request at a time. */
export class ControllerClient {
  readonly #path: FramePath;
  #correlationId = 0;

  constructor(path: FramePath) {
    this.#path = path;
  }

  async ask<Init, Decoded>(api: Api<unknown, Init, Decoded>, version: number, body: NoInfer<Init>): Promise<Decoded> {
    const correlationId = ++this.#correlationId;
    this.#path.sendFrame(encodeRequest(api, version, { correlationId, clientId: "test" }, body));
    for (;;) {
      const frame = await this.#path.takeFrame();
      if (decodeCorrelationId(frame) === correlationId) return decodeResponse(api, version, frame).body;
    }
  }

  async createTopic(name: string, numPartitions = 1): Promise<number> {
    const topics = [{ name, numPartitions, replicationFactor: 1 }];
    const response = await this.ask(createTopics, 7, { topics });
    return response.topics[0]!.errorCode;
  }

  /** The topic's only partition. */
  async partition(name: string): Promise<MetadataResponse["topics"][number]["partitions"][number] | undefined> {
    return (await this.metadata()).topics.find((topic) => topic.name === name)?.partitions[0];
  }

  async metadata(): Promise<MetadataResponse> {
    return await this.ask(metadata, 12, { topics: null });
  }
}

/** What a broker's storage remembers of its registration. */
export interface Registration {
  readonly brokerId: number;
  readonly brokerEpoch: number;
  readonly directoryId: string;
  readonly generation: number;
}

/** Registers a new broker with empty storage, and brings it to life. */
export async function registerBroker(
  client: ControllerClient,
  peer: string,
  rack: string | null = null,
): Promise<Registration> {
  const directoryId = randomUUID();
  const { errorCode, brokerId, brokerEpoch, generation } = await client.ask(brokerRegistration, 4, {
    brokerId: -1,
    clusterId: "",
    incarnationId: randomUUID(),
    listeners: [{ name: "TAB", host: peer, port: 0, securityProtocol: 0 }],
    rack,
    logDirs: [directoryId],
    pendingNonce: randomUUID(),
  });
  if (errorCode !== 0) throw new Error(`the registration is refused with ${errorCode}`);
  const registration = { brokerId, brokerEpoch, directoryId, generation };
  await heartbeat(client, registration);
  return registration;
}

/** Returns the error code, and whether the controller has the broker fenced. */
export async function heartbeat(
  client: ControllerClient,
  { brokerId, brokerEpoch, generation }: Registration,
): Promise<{ readonly errorCode: number; readonly isFenced: boolean }> {
  return await client.ask(brokerHeartbeat, 1, {
    brokerId,
    brokerEpoch,
    currentMetadataOffset: Number.MAX_SAFE_INTEGER,
    wantFence: false,
    wantShutDown: false,
    confirmedGeneration: generation,
  });
}
