import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

interface KafkaJsRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  encode(): Promise<unknown>;
}

type MakeRequest = (options: object) => KafkaJsRequest;

const frame = require("kafkajs/src/protocol/request") as (options: {
  correlationId: number;
  clientId: string;
  request: KafkaJsRequest;
}) => Promise<{ buffer: Buffer }>;

/** The frame that KafkaJS sends, without its length prefix. */
export async function encodeWithKafkaJs(api: string, version: number, options: object): Promise<Uint8Array> {
  const makeRequest = require(`kafkajs/src/protocol/requests/${api}/v${version}/request`) as MakeRequest;
  const { buffer } = await frame({ correlationId: 7, clientId: "kafkajs", request: makeRequest(options) });
  return Uint8Array.from(buffer.subarray(4));
}

/** What KafkaJS reads from a response, given from behind the correlation id. */
export async function decodeWithKafkaJs(api: string, version: number, response: Uint8Array): Promise<unknown> {
  const { decode } = require(`kafkajs/src/protocol/requests/${api}/v${version}/response`) as {
    decode(bytes: Buffer): Promise<unknown>;
  };
  return decode(Buffer.from(response.subarray(4)));
}
