/** A fingerprint of a run: the same seed gives the same one, in every engine (FNV-1a). */
export class TraceHash {
  #hash = 0x811c9dc5;
  /** The event that was added last, for whoever watches a run. */
  lastEvent = "";
  lastSize = 0;

  add(timeUs: number, what: string, size: number): void {
    this.lastEvent = what;
    this.lastSize = size;
    this.#mix(timeUs % 2 ** 32);
    this.#mix(size);
    for (let index = 0; index < what.length; index++) this.#mix(what.charCodeAt(index));
  }

  get value(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  #mix(word: number): void {
    this.#hash = Math.imul(this.#hash ^ (word & 0xffff), 0x01000193);
    this.#hash = Math.imul(this.#hash ^ (word >>> 16), 0x01000193);
  }
}
