import type { Api } from "../../../src/protocol/schema.ts";
import { apiVersions } from "../../../src/protocol/apis/18-api-versions.ts";
import { ConnectionEnded, KafkaSocket } from "../kafka-socket.ts";

/** What was asked, in words, and the answer as decoded; a connection that was closed instead is an answer too. */
export interface Exchange {
  readonly label: string;
  readonly answer: unknown;
}

/** A script of requests, for one version of the API that it is about. */
export interface Conversation {
  readonly api: Api;
  readonly talk: (speaker: Speaker) => Promise<void>;
}

const PATIENCE_MS = 60_000;

export const CLOSED = "the connection was closed";

/** Has one conversation with one broker, and writes down what it hears. */
export class Speaker {
  /** Of the API that the conversation is about. */
  readonly version: number;
  /** A name for topics and groups that no other conversation uses. */
  readonly name: string;
  readonly exchanges: Exchange[] = [];
  readonly #bootstrap: string;
  readonly #ranges: ReadonlyMap<number, number>;
  #socket: KafkaSocket | undefined;

  /** `ranges` has the latest version of each API that both sides speak. */
  constructor(bootstrap: string, ranges: ReadonlyMap<number, number>, api: Api, version: number) {
    this.#bootstrap = bootstrap;
    this.#ranges = ranges;
    this.version = version;
    this.name = `${api.name}-${version}`;
  }

  /** Asks in the version of the conversation, and writes the answer down. */
  async ask<Init, Decoded>(label: string, api: Api<unknown, Init, Decoded>, body: NoInfer<Init>): Promise<Decoded> {
    try {
      const answer = await this.#ask(api, this.version, body);
      this.exchanges.push({ label, answer });
      return answer;
    } catch (error) {
      if (!(error instanceof ConnectionEnded)) throw new Error(`${this.name}: ${label}: ${String(error)}`);
      this.close();
      this.exchanges.push({ label, answer: CLOSED });
      return {} as Decoded;
    }
  }

  /** Asks in the latest version, for what the conversation needs beside its subject; `done` tells when to go on. */
  async arrange<Init, Decoded>(
    api: Api<unknown, Init, Decoded>,
    body: NoInfer<Init>,
    done: (answer: Decoded) => boolean = () => true,
  ): Promise<Decoded> {
    const version = this.#ranges.get(api.key) ?? api.advertised[1];
    for (const endMs = Date.now() + PATIENCE_MS; Date.now() < endMs; ) {
      const answer = await this.#ask(api, version, body);
      if (done(answer)) return answer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${api.name} never gave the answer that ${this.name} waits for`);
  }

  /** Sends bytes that no codec made. */
  async askRaw(label: string, request: Uint8Array, read: (answer: Uint8Array) => unknown): Promise<void> {
    try {
      this.#socket ??= await KafkaSocket.connect(this.#bootstrap);
      this.exchanges.push({ label, answer: read(await this.#socket.askRaw(request)) });
    } catch (error) {
      if (!(error instanceof ConnectionEnded)) throw error;
      this.close();
      this.exchanges.push({ label, answer: CLOSED });
    }
  }

  /** Writes down what is no answer by itself. */
  note(label: string, answer: unknown): void {
    this.exchanges.push({ label, answer });
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  async #ask<Init, Decoded>(api: Api<unknown, Init, Decoded>, version: number, body: NoInfer<Init>): Promise<Decoded> {
    this.#socket ??= await KafkaSocket.connect(this.#bootstrap);
    return await this.#socket.ask(api, version, body);
  }
}

/** The versions that a broker offers, by API. */
export async function offeredVersions(bootstrap: string): Promise<Map<number, readonly [number, number]>> {
  const socket = await KafkaSocket.connect(bootstrap);
  const software = { clientSoftwareName: "tabstream", clientSoftwareVersion: "1" };
  const { apiKeys } = await socket.ask(apiVersions, 3, software);
  socket.close();
  return new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]));
}
