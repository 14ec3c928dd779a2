import { CLUSTER_NAME } from "../src/runtime/signaling.ts";
import type { ToServer } from "../src/runtime/signaling.ts";

/** The deepest signal of simple-peer, a candidate, has three levels. */
const MAX_DEPTH = 8;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function isUuid(value: unknown): value is string {
  return typeof value === "string" && UUID.test(value);
}

export function isClusterName(name: string): boolean {
  return CLUSTER_NAME.test(name);
}

/** Thrown for a text frame that src/runtime/signaling.ts does not describe. Its message names no content. */
export class MalformedSignalError extends Error {
  override readonly name = "MalformedSignalError";
}

/** Reads one text frame, whose size is bounded already. Unknown types and fields are refused, not skipped. */
export function parseToServer(text: string): ToServer {
  const message = parseObject(text);
  switch (message.type) {
    case "signal": {
      expectFields(message, ["type", "to", "signal"]);
      const { to, signal } = message;
      if (!isUuid(to)) throw new MalformedSignalError("the field to is not a uuid");
      if (!isObject(signal)) throw new MalformedSignalError("the field signal is not an object");
      return { type: "signal", to, signal };
    }
    case "relay": {
      expectFields(message, ["type", "to", "relayId", "listener"]);
      const { to, relayId, listener } = message;
      if (!isUuid(to)) throw new MalformedSignalError("the field to is not a uuid");
      if (!isUuid(relayId)) throw new MalformedSignalError("the field relayId is not a uuid");
      if (typeof listener !== "string" || !/^[A-Z][A-Z0-9_]{0,31}$/.test(listener)) {
        throw new MalformedSignalError("the field listener is not the name of a listener");
      }
      return { type: "relay", to, relayId, listener };
    }
    case "pong":
      expectFields(message, ["type"]);
      return { type: "pong" };
    default:
      throw new MalformedSignalError("the field type is none of signal, relay and pong");
  }
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new MalformedSignalError("the text is not JSON");
  }
  if (!isObject(value)) throw new MalformedSignalError("the text is not a JSON object");
  expectTame(value, MAX_DEPTH);
  return value;
}

/** Bounds the depth, and refuses the one key that changes what an object is when it is copied carelessly. */
function expectTame(value: object, depth: number): void {
  if (depth === 0) throw new MalformedSignalError(`the JSON is nested deeper than ${MAX_DEPTH} levels`);
  if (Object.hasOwn(value, "__proto__")) throw new MalformedSignalError("the JSON has a field __proto__");
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) expectTame(inner, depth - 1);
  }
}

function expectFields(message: Record<string, unknown>, names: readonly string[]): void {
  const present = Object.keys(message);
  if (present.length !== names.length || !present.every((name) => names.includes(name))) {
    throw new MalformedSignalError(`a ${String(message.type)} has the fields ${names.join(", ")}`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
