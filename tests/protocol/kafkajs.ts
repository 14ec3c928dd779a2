import { createRequire } from "node:module";
import { expect } from "vitest";

import { decodeRequest, decodeRequestHeader, encodeRequest } from "../../src/protocol/envelope.ts";
import type { Api } from "../../src/protocol/schema.ts";

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

export interface RequestCase {
  readonly api: Api;
  readonly versions: readonly number[];
  /** What KafkaJS is asked to send. */
  readonly options: object;
  /** Fields of the decoded body, by the first version that has them. */
  readonly fields: Readonly<Record<number, object>>;
}

export function versions(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Each case in each of its versions, for `test.each`. */
export function eachVersion(cases: readonly RequestCase[]): (RequestCase & { name: string; version: number })[] {
  return cases.flatMap((one) => one.versions.map((version) => ({ ...one, version, name: one.api.name })));
}

/** Expects a request of KafkaJS to be understood, and to be encoded to the bytes that KafkaJS makes. */
export async function expectSameRequest(one: RequestCase & { readonly version: number }): Promise<void> {
  const { api, version, options, fields } = one;
  const bytes = await encodeWithKafkaJs(folderOf(api), version, options);
  const header = decodeRequestHeader(bytes);
  expect(header).toMatchObject({ apiKey: api.key, apiVersion: version, correlationId: 7, clientId: "kafkajs" });
  const body = decodeRequest(api, header);
  for (const [since, expected] of Object.entries(fields)) {
    if (version >= Number(since)) expect(body).toMatchObject(expected);
  }
  expect(encodeRequest(api, version, header, body)).toEqual(bytes);
}

/** KafkaJS's folder for an API. */
function folderOf({ name }: Api): string {
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
}
