/**
 * A small generator of random bits that is state, so that a run can be repeated from its seed (xoshiro128**, by
 * Blackman and Vigna, public domain). Not for secrets.
 */
export class Random {
  readonly #state: Uint32Array;

  /** `seed` should itself be hard to repeat where uniqueness matters, such as a platform's random uuid. */
  constructor(seed: string) {
    this.#state = scatter(seed);
  }

  /** 32 uniformly distributed bits. */
  next(): number {
    const s = this.#state;
    const result = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = rotateLeft(s[3]!, 11);
    return result;
  }

  /** A version 4 UUID. */
  uuid(): string {
    const words = [this.next(), this.next(), this.next(), this.next()];
    words[1] = ((words[1]! & 0xffff0fff) | 0x00004000) >>> 0;
    words[2] = ((words[2]! & 0x3fffffff) | 0x80000000) >>> 0;
    const hex = words.map((word) => word.toString(16).padStart(8, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }
}

/** Spreads a text over 128 bits that are never all zero. Each word is an FNV-1a hash with its own start, then mixed. */
function scatter(seed: string): Uint32Array {
  const state = new Uint32Array(4);
  for (let word = 0; word < state.length; word++) {
    let hash = (0x811c9dc5 ^ Math.imul(word + 1, 0x9e3779b9)) >>> 0;
    for (let index = 0; index < seed.length; index++) {
      hash = Math.imul(hash ^ seed.charCodeAt(index), 0x01000193);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    state[word] = hash ^ (hash >>> 16);
  }
  if (state.every((word) => word === 0)) state[0] = 1;
  return state;
}

function rotateLeft(word: number, bits: number): number {
  return ((word << bits) | (word >>> (32 - bits))) >>> 0;
}
