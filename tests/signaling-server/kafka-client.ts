import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { onTestFinished } from "vitest";
import { decodeCorrelationId, decodeResponse, encodeRequest } from "../../src/protocol/envelope.ts";
import { FrameDecoder } from "../../src/protocol/frame.ts";
import type { Api } from "../../src/protocol/schema.ts";
import { encodeFrame } from "../protocol/encode-frame.ts";

/** One TCP connection of a Kafka client, which keeps what came. */
export class KafkaClient {
  readonly socket: Socket;
  /** Resolves when the connection is over, however it ended. */
  readonly ended: Promise<void>;
  readonly frames: Uint8Array[] = [];
  #received: Buffer[] = [];
  readonly #decoder = new FrameDecoder();
  #correlationId = 0;

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.ended = new Promise((resolve) => this.socket.on("close", () => resolve()));
    this.socket.on("error", () => {});
    this.socket.on("data", (bytes: Buffer) => this.#received.push(bytes));
  }

  /** One that goes away with the test. */
  static async connected(port: number): Promise<KafkaClient> {
    const client = new KafkaClient(port);
    onTestFinished(() => void client.socket.destroy());
    await once(client.socket, "connect");
    return client;
  }

  get isOver(): boolean {
    return this.socket.closed;
  }

  /** All bytes so far, for tests whose bytes are no frames. */
  get received(): Buffer {
    this.#received = [Buffer.concat(this.#received)];
    return this.#received[0]!;
  }

  send(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }

  /** Sends a request; returns its correlation id. */
  request<Init>(api: Api<unknown, Init, unknown>, version: number, body: NoInfer<Init>): number {
    const correlationId = ++this.#correlationId;
    this.send(encodeFrame(encodeRequest(api, version, { correlationId, clientId: "test" }, body)));
    return correlationId;
  }

  /** The next response, which must be the one to `correlationId`: Kafka answers in order. */
  async answer<Decoded>(api: Api<unknown, unknown, Decoded>, version: number, correlationId: number): Promise<Decoded> {
    const frame = await this.nextFrame();
    const got = decodeCorrelationId(frame);
    if (got !== correlationId) throw new Error(`the answer to ${got} came where that to ${correlationId} is due`);
    return decodeResponse(api, version, frame).body;
  }

  async ask<Init, Decoded>(api: Api<unknown, Init, Decoded>, version: number, body: NoInfer<Init>): Promise<Decoded> {
    return await this.answer(api, version, this.request(api, version, body));
  }

  async nextFrame(): Promise<Uint8Array> {
    for (;;) {
      for (const bytes of this.#received.splice(0)) this.frames.push(...this.#decoder.push(new Uint8Array(bytes)));
      const frame = this.frames.shift();
      if (frame !== undefined) return frame;
      if (this.isOver) throw new Error("the connection ended before the answer came");
      await Promise.race([once(this.socket, "data"), this.ended]);
    }
  }
}

/** A port that is free together with the `more` ports behind it, and none that systems give out by themselves. */
export async function freePorts(more = 8): Promise<number> {
  for (;;) {
    const base = 10_000 + Math.floor(Math.random() * 20_000);
    const probes = await Promise.all(Array.from({ length: more + 1 }, (_, index) => tryPort(base + index)));
    for (const probe of probes) probe?.close();
    if (probes.every((probe) => probe !== undefined)) return base;
  }
}

export async function tryPort(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    return server;
  } catch {
    return undefined;
  }
}
