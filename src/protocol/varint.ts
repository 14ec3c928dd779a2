/**
 * Sizes of Kafka's variable-length integers. An unsigned varint is LEB128 of at most 5 bytes; signed varints and
 * varlongs, used inside records only, are zigzag-mapped first. Reading is in `reader.ts`, writing in `writer.ts`.
 */

/** Bytes of an unsigned varint; `value` is an integer from 0 to 2^32 - 1. */
export function sizeOfUnsignedVarint(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}

/** Bytes of a zigzag varint; `value` is a 32-bit signed integer. */
export function sizeOfVarint(value: number): number {
  return sizeOfUnsignedVarint(((value << 1) ^ (value >> 31)) >>> 0);
}

/** Bytes of a zigzag varlong; `value` is a safe integer. */
export function sizeOfVarlong(value: number): number {
  let rest = value < 0 ? -(value + 1) : value;
  let size = 1;
  // The first byte holds six bits of magnitude beside the sign, each later one seven.
  for (rest = Math.floor(rest / 64); rest > 0; rest = Math.floor(rest / 128)) size++;
  return size;
}
