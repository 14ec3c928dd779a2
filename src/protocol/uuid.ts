import { assert } from "./assert.ts";

/** The uuid that means "none" on the wire. */
export const ZERO_UUID = "00000000-0000-0000-0000-000000000000";

const canonical = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const hexPairs: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** The canonical 36-character lower-case form of the 16 bytes at `position`. */
export function readUuid(bytes: Uint8Array, position: number): string {
  let text = "";
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += "-";
    text += hexPairs[bytes[position + index]!];
  }
  return text;
}

/** Writes the 16 bytes of a canonical uuid at `position`. */
export function writeUuid(uuid: string, target: Uint8Array, position: number): void {
  assert(canonical.test(uuid), "a uuid is written as 36 lower-case characters");
  const hex = uuid.replaceAll("-", "");
  for (let index = 0; index < 16; index++) {
    target[position + index] = Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16);
  }
}
