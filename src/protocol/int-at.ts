/**
 * Big-endian integers within bytes whose bounds were checked. Written out, because making a DataView costs more than
 * reading the one or two fields that a look at a batch needs.
 */
const TWO_32 = 0x1_0000_0000;

export function int32At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

export function uint32At(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at) >>> 0;
}

/** Not exact beyond 2^53. */
export function int64At(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at) * TWO_32 + uint32At(bytes, at + 4);
}

export function setInt32At(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24;
  bytes[at + 1] = value >> 16;
  bytes[at + 2] = value >> 8;
  bytes[at + 3] = value;
}

/** `value` is a safe integer. */
export function setInt64At(bytes: Uint8Array, at: number, value: number): void {
  setInt32At(bytes, at, Math.floor(value / TWO_32));
  setInt32At(bytes, at + 4, value >>> 0);
}
