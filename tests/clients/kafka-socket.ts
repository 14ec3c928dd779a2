import { once } from "node:events";
import { createConnection } from "node:net";
import type { Socket } from "node:net";
import { decodeCorrelationId, decodeResponse, encodeRequest } from "../../src/protocol/envelope.ts";
import { FrameDecoder } from "../../src/protocol/frame.ts";
import type { Api } from "../../src/protocol/schema.ts";
import { encodeFrame } from "../protocol/encode-frame.ts";

const ANSWER_TIMEOUT_MS = 20_000;

interface Waiting {
  readonly answered: (frame: Uint8Array) => void;
  readonly failed: (error: Error) => void;
}

/** A connection to any Kafka broker that speaks in single requests, by this project's own codec. */
export class KafkaSocket {
  readonly #socket: Socket;
  readonly #frames = new FrameDecoder();
  readonly #waiting: Waiting[] = [];
  #correlationId = 0;
  #ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      for (const frame of this.#frames.push(new Uint8Array(chunk))) this.#waiting.shift()?.answered(frame);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#ended = true;
      for (const { failed } of this.#waiting.splice(0)) failed(new ConnectionEnded());
    });
  }

  /** `address` is `host:port`. */
  static async connect(address: string): Promise<KafkaSocket> {
    const [host = "", port = ""] = address.split(":");
    const socket = createConnection({ host, port: Number(port) });
    await once(socket, "connect");
    return new KafkaSocket(socket);
  }

  /** Throws ConnectionEnded if the broker closes the connection instead of answering. */
  async ask<Init, Decoded>(api: Api<unknown, Init, Decoded>, version: number, body: NoInfer<Init>): Promise<Decoded> {
    const correlationId = this.#correlationId++;
    const request = encodeRequest(api, version, { correlationId, clientId: "tabstream-test" }, body);
    const answer = await this.askRaw(request);
    const answered = decodeCorrelationId(answer);
    if (answered !== correlationId) throw new Error(`answer ${answered} came where ${correlationId} was due`);
    return decodeResponse(api, version, answer).body;
  }

  /** Sends the bytes of one request, without length prefix, and gives those of the next answer. */
  async askRaw(request: Uint8Array): Promise<Uint8Array> {
    if (this.#ended) throw new ConnectionEnded();
    const answer = new Promise<Uint8Array>((answered, failed) => {
      const timer = setTimeout(() => failed(new Error("no answer came")), ANSWER_TIMEOUT_MS);
      const settle = <T>(then: (value: T) => void) => (value: T) => {
        clearTimeout(timer);
        then(value);
      };
      this.#waiting.push({ answered: settle(answered), failed: settle(failed) });
    });
    this.send(request);
    return await answer;
  }

  /** Sends a request that gets no answer. */
  send(request: Uint8Array): void {
    this.#socket.write(encodeFrame(request));
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The broker closed the connection instead of answering. */
export class ConnectionEnded extends Error {
  override readonly name = "ConnectionEnded";
}
