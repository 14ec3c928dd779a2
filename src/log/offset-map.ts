/** A pass notes the last offsets of at most about this many keys, and of keys of this size in all. */
const MAX_KEYS = 1 << 17;
const MAX_KEY_BYTES = 16 * 1024 * 1024;

/**
 * The newest offset of each key in the part of a log that a compaction looks at. Keys are kept whole, not hashed: two
 * keys that share a hash would cost one of them its last record, and whoever writes to a topic chooses the keys.
 */
export class OffsetMap {
  readonly #offsets = new Map<string, number>();
  readonly #maxKeys: number;
  readonly #maxKeyBytes: number;
  #keyBytes = 0;

  constructor(maxKeys = MAX_KEYS, maxKeyBytes = MAX_KEY_BYTES) {
    this.#maxKeys = maxKeys;
    this.#maxKeyBytes = maxKeyBytes;
  }

  /** It takes more, but it should not be given more. */
  get isFull(): boolean {
    return this.#offsets.size >= this.#maxKeys || this.#keyBytes >= this.#maxKeyBytes;
  }

  /** Offsets are to be noted in ascending order. */
  note(key: string, offset: number): void {
    if (!this.#offsets.has(key)) this.#keyBytes += key.length;
    this.#offsets.set(key, offset);
  }

  /** Whether a newer record of `key` than the one at `offset` was noted. */
  isSuperseded(key: string, offset: number): boolean {
    return (this.#offsets.get(key) ?? -1) > offset;
  }
}

const PIECE_BYTES = 4096;

/** A key's bytes as a string of as many characters: different for different keys, and hashed by the engine. */
export function keyText(key: Uint8Array): string {
  if (key.length <= PIECE_BYTES) return String.fromCharCode.apply(null, key as unknown as number[]);
  let text = "";
  for (let start = 0; start < key.length; start += PIECE_BYTES) {
    text += keyText(key.subarray(start, start + PIECE_BYTES));
  }
  return text;
}
