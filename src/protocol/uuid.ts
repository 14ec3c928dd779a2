import { assert } from "./assert.ts";

/** The uuid that means "none" on the wire. */
export const ZERO_UUID = "00000000-0000-0000-0000-000000000000";

const canonical = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const hexPairs: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

interface Known {
  readonly text: string;
  readonly bytes: Uint8Array;
}

/**
 * The uuids met last, by their first byte, and so at most 256. A node meets the same few topics and directories in
 * every message, and a text that is one object with the last one is also the cheaper key of a map.
 */
const byFirstByte: (Known | undefined)[] = [];
const byText = new Map<string, Uint8Array>();

/** The canonical 36-character lower-case form of the 16 bytes at `position`. */
export function readUuid(bytes: Uint8Array, position: number): string {
  const known = byFirstByte[bytes[position]!];
  if (known !== undefined && isAt(known.bytes, bytes, position)) return known.text;
  let text = "";
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += "-";
    text += hexPairs[bytes[position + index]!];
  }
  remember(text, bytes.slice(position, position + 16));
  return text;
}

/** Writes the 16 bytes of a canonical uuid at `position`. */
export function writeUuid(uuid: string, target: Uint8Array, position: number): void {
  let bytes = byText.get(uuid);
  if (bytes === undefined) {
    bytes = bytesOf(uuid);
    remember(uuid, bytes);
  }
  // A loop, for `set` costs more than sixteen bytes do.
  for (let index = 0; index < 16; index++) target[position + index] = bytes[index]!;
}

function bytesOf(uuid: string): Uint8Array {
  assert(canonical.test(uuid), "a uuid is written as 36 lower-case characters");
  const hex = uuid.replaceAll("-", "");
  return Uint8Array.from({ length: 16 }, (_, index) => Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16));
}

function remember(text: string, bytes: Uint8Array): void {
  const first = bytes[0]!;
  const forgotten = byFirstByte[first];
  if (forgotten !== undefined) byText.delete(forgotten.text);
  byFirstByte[first] = { text, bytes };
  byText.set(text, bytes);
}

function isAt(known: Uint8Array, bytes: Uint8Array, position: number): boolean {
  for (let index = 15; index > 0; index--) if (known[index] !== bytes[position + index]) return false;
  return true;
}
