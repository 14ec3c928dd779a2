/**
 * Finds repetitions for the two codecs that are nothing but literals and copies, Snappy and LZ4: greedily, with one
 * hash table of four-byte sequences, and in longer steps the longer nothing repeats.
 */

/** Both codecs copy at least this many bytes. */
export const MIN_MATCH = 4;

/** Copies reach 16 bits back, so a block of this size can refer to all of itself. */
export const MAX_BLOCK = 65_536;

const HASH_BITS = 14;
/** After 2^SKIP_BITS misses in a row the steps get longer by one. */
const SKIP_BITS = 5;
const hashTable = new Int32Array(1 << HASH_BITS);

/** Called for each repetition: the bytes before it since the last one, then how far back and how long it is. */
export type OnRepetition = (literalStart: number, literalEnd: number, distance: number, length: number) => void;

/**
 * Searches `input`, a block. No repetition starts at or after `lastStart`, nor goes on beyond `lastEnd`. Returns where
 * the literals begin that are left over at the end.
 */
export function findRepetitions(
  input: Uint8Array,
  lastStart: number,
  lastEnd: number,
  onRepetition: OnRepetition,
): number {
  hashTable.fill(-1);
  let literalStart = 0;
  let misses = 1 << SKIP_BITS;
  for (let position = 0; position < lastStart; ) {
    const sequence = sequenceAt(input, position);
    const hash = Math.imul(sequence, 0x9e3779b1) >>> (32 - HASH_BITS);
    const candidate = hashTable[hash]!;
    hashTable[hash] = position;
    if (candidate < 0 || sequenceAt(input, candidate) !== sequence) {
      position += misses++ >> SKIP_BITS;
      continue;
    }
    let length = MIN_MATCH;
    while (position + length < lastEnd && input[candidate + length] === input[position + length]) length++;
    onRepetition(literalStart, position, position - candidate, length);
    position += length;
    literalStart = position;
    misses = 1 << SKIP_BITS;
  }
  return literalStart;
}

function sequenceAt(input: Uint8Array, at: number): number {
  return input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16) | (input[at + 3]! << 24);
}
