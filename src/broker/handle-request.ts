import { errorCode } from "../protocol/error-codes.ts";
import { CorruptMessageError, UnsupportedVersionError } from "../protocol/errors.ts";
import { decodeRequest, decodeRequestHeader, encodeAnswer, encodeResponse } from "../protocol/envelope.ts";
import type { RequestHeader } from "../protocol/envelope.ts";
import { apiVersions } from "../protocol/apis/18-api-versions.ts";
import type { Api, Request, ResponseInit } from "../protocol/schema.ts";
import type { Client } from "../coordinator/reply.ts";
import type { Broker } from "./broker.ts";
import { MAX_FORWARDED_BYTES } from "./forwarded-requests.ts";
import { forwardedApis, handlers } from "./handlers/table.ts";
import type { PendingResponse } from "./request-channel.ts";

/** What a handler learns about the request besides its body. */
export interface RequestContext {
  readonly version: number;
  readonly clientId: string | null;
  /** The listener that the connection came in by: answers that name endpoints name those of this listener. */
  readonly listener: string;
  readonly nowMs: number;
  readonly pending: PendingResponse;
  /** Ends the connection because of what it asked for. */
  close(reason: string): void;
}

/** Who asks, as a group tells of its members, which is in Java's way: a host's name, if known, then its address. */
export function clientOf({ clientId, version, pending: { remoteAddress } }: RequestContext): Client {
  return { clientId: clientId ?? "", clientHost: remoteAddress === undefined ? "" : `/${remoteAddress}`, version };
}

/** Answers now or later, once; `undefined` for no response at all. */
export type Respond<A extends Api> = (body: ResponseInit<A> | undefined) => void;

export interface Handler<A extends Api = Api> {
  readonly api: A;
  handle(broker: Broker, request: Request<A>, context: RequestContext, respond: Respond<A>): void;
}

/** Reads one request and begins it. What cannot be read, or is not served here, ends its connection alone. */
export function handleRequest(broker: Broker, connectionId: number, frame: Uint8Array): void {
  broker.channel.arrived(connectionId, frame.length, (pending) => read(broker, frame, pending));
}

function read(broker: Broker, frame: Uint8Array, pending: PendingResponse): void {
  const { nowMs } = broker;
  const close = (reason: string) => broker.channel.close(pending.connectionId, reason);
  try {
    const header = decodeRequestHeader(frame);
    const forwarded = forwardedApis.get(header.apiKey);
    if (forwarded !== undefined) {
      if (frame.length > MAX_FORWARDED_BYTES) {
        const limit = `its limit of ${MAX_FORWARDED_BYTES}`;
        return close(`a request of ${frame.length} bytes for the controller exceeds ${limit}`);
      }
      // What the controller could not read would cost this tab its own connection.
      decodeRequest(forwarded, header);
      const lost = () => close("the metadata server cannot be reached, so that this request has to wait");
      return broker.forwarded.add(frame, pending, lost, nowMs);
    }
    begin(broker, header, pending, nowMs, close);
  } catch (error) {
    if (!(error instanceof CorruptMessageError || error instanceof UnsupportedVersionError)) throw error;
    close(`unreadable request: ${error.message}`);
  }
}

function begin(
  broker: Broker,
  header: RequestHeader,
  pending: PendingResponse,
  nowMs: number,
  close: (reason: string) => void,
): void {
  const { apiKey, apiVersion: version, correlationId, clientId } = header;
  const handler = handlers.get(apiKey);
  if (handler === undefined) return close(`api ${apiKey} is not served here`);
  const { api } = handler;
  if (api === apiVersions && !servesVersion(api, version)) return pending.respond(downgrade(correlationId));
  const request = decodeRequest(api, header);
  const context = { version, clientId, listener: pending.listener, nowMs, pending, close };
  handler.handle(broker, request, context, (body) => {
    const frame = body === undefined ? undefined : encodeAnswer(api, version, correlationId, body);
    if (typeof frame !== "string") return pending.respond(frame);
    broker.log("error", frame);
    close("the answer cannot be written");
  });
}

function servesVersion({ versions }: Api, version: number): boolean {
  return version >= versions[0] && version <= versions[1];
}

/** A client that is too new learns in the oldest layout which versions of ApiVersions itself it may use (KIP-511). */
function downgrade(correlationId: number): Uint8Array {
  const [minVersion, maxVersion] = apiVersions.versions;
  return encodeResponse(apiVersions, 0, correlationId, {
    errorCode: errorCode("UNSUPPORTED_VERSION"),
    apiKeys: [{ apiKey: apiVersions.key, minVersion, maxVersion }],
  });
}
