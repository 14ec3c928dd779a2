import { AssertionError } from "./assert.ts";
import { CorruptMessageError } from "./errors.ts";
import { readText } from "./field-codecs.ts";
import { Reader } from "./reader.ts";
import type { Api, Message } from "./schema.ts";
import { skipTags } from "./struct-codec.ts";
import { utf8Length } from "./utf8.ts";
import { encode, encodeForSending } from "./writer.ts";
import type { Writer } from "./writer.ts";

/**
 * Headers around requests and responses; frames, which carry their length, are in `frame.ts`. A flexible version has
 * a tag buffer in its header too, with two exceptions that let a broker be asked for its versions by a client that
 * does not know them: the client id keeps its two-byte length, and an ApiVersions response never has header tags.
 */
const API_VERSIONS_KEY = 18;

/** What every request starts with, in every version. The body stays undecoded in `reader`. */
export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  /** Stands behind the client id. {@link decodeRequest} reads on from here, once. */
  readonly reader: Reader;
}

/** A request without its length prefix, to be sent and forgotten: brief frames share buffers. */
export function encodeRequest<Init>(
  api: Api<unknown, Init>,
  version: number,
  header: { readonly correlationId: number; readonly clientId: string | null },
  body: NoInfer<Init>,
): Uint8Array<ArrayBuffer> {
  const codec = api.request.codec(version);
  return encodeForSending((writer) => {
    writer.int16(api.key);
    writer.int16(version);
    writer.int32(header.correlationId);
    writeClientId(writer, header.clientId);
    if (version >= api.flexibleFrom) writer.unsignedVarint(0);
    codec.write(writer, body);
  });
}

/** Reads what precedes the body, which is laid out alike in all versions of all APIs. */
export function decodeRequestHeader(bytes: Uint8Array): RequestHeader {
  const reader = new Reader(bytes);
  const apiKey = reader.int16();
  const apiVersion = reader.int16();
  const correlationId = reader.int32();
  const length = reader.int16();
  if (length < -1) throw new CorruptMessageError(`a client id of ${length} bytes`);
  const clientId = length === -1 ? null : readText(reader, length);
  return { apiKey, apiVersion, correlationId, clientId, reader };
}

/** The body of a request whose header names `api`; throws UnsupportedVersionError for a version it does not have. */
export function decodeRequest<Decoded>(api: Api<Decoded>, header: RequestHeader): Decoded {
  const codec = api.request.codec(header.apiVersion);
  if (header.apiVersion >= api.flexibleFrom) skipTags(header.reader);
  const body = codec.read(header.reader);
  header.reader.expectEnd();
  return body;
}

/** A response without its length prefix, to be sent and forgotten as well. */
export function encodeResponse<Init>(
  api: Api<unknown, unknown, unknown, Init>,
  version: number,
  correlationId: number,
  body: NoInfer<Init>,
): Uint8Array<ArrayBuffer> {
  const codec = api.response.codec(version);
  return encodeForSending((writer) => {
    writer.int32(correlationId);
    if (hasResponseTags(api, version)) writer.unsignedVarint(0);
    codec.write(writer, body);
  });
}

/**
 * The same for whoever was asked, and a sentence for an answer that its version cannot hold. That is a mistake of this
 * program, but one that harms only who asked; a process that ended over it would be ended by whoever asks again.
 */
export function encodeAnswer<Init>(
  api: Api<unknown, unknown, unknown, Init>,
  version: number,
  correlationId: number,
  body: NoInfer<Init>,
): Uint8Array<ArrayBuffer> | string {
  try {
    return encodeResponse(api, version, correlationId, body);
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    return `the answer to ${api.name} v${version} cannot be written: ${error}`;
  }
}

/** The correlation id of a response, which tells the request it answers and so how to read the rest. */
export function decodeCorrelationId(bytes: Uint8Array): number {
  return new Reader(bytes).int32();
}

export function decodeResponse<Decoded>(
  api: Api<unknown, unknown, Decoded>,
  version: number,
  bytes: Uint8Array,
): { readonly correlationId: number; readonly body: Decoded } {
  const codec = api.response.codec(version);
  const reader = new Reader(bytes);
  const correlationId = reader.int32();
  if (hasResponseTags(api, version)) skipTags(reader);
  const body = codec.read(reader);
  reader.expectEnd();
  return { correlationId, body };
}

/** A structure on its own, without any header. */
export function encodeMessage<Init>(
  message: Message<unknown, Init>,
  version: number,
  body: NoInfer<Init>,
): Uint8Array<ArrayBuffer> {
  const codec = message.codec(version);
  return encode((writer) => codec.write(writer, body));
}

export function decodeMessage<Decoded>(message: Message<Decoded>, version: number, bytes: Uint8Array): Decoded {
  const reader = new Reader(bytes);
  const body = message.codec(version).read(reader);
  reader.expectEnd();
  return body;
}

/** A structure that carries its version, in two bytes before it. */
export function encodeVersioned<Init>(
  message: Message<unknown, Init>,
  version: number,
  body: NoInfer<Init>,
): Uint8Array<ArrayBuffer> {
  const codec = message.codec(version);
  return encode((writer) => {
    writer.int16(version);
    codec.write(writer, body);
  });
}

export function decodeVersioned<Decoded>(message: Message<Decoded>, bytes: Uint8Array): Decoded {
  const reader = new Reader(bytes);
  const body = message.codec(reader.int16()).read(reader);
  reader.expectEnd();
  return body;
}

function hasResponseTags(api: Api, version: number): boolean {
  return version >= api.flexibleFrom && api.key !== API_VERSIONS_KEY;
}

function writeClientId(writer: Writer, clientId: string | null): void {
  if (clientId === null) return writer.int16(-1);
  const length = utf8Length(clientId);
  writer.int16(length);
  writer.utf8(clientId, length);
}
