/** A fingerprint of a run: the same seed gives the same one, in every engine (FNV-1a). */
export class TraceHash {
  #hash = 0x811c9dc5;
  #who = "";
  #what = "";
  lastSize = 0;

  /** The event that was added last, for whoever watches a run. */
  get lastEvent(): string {
    return this.#who + this.#what;
  }

  /** `who` is empty for the server. */
  add(timeUs: number, who: string, what: string, size: number): void {
    this.#who = who;
    this.#what = what;
    this.lastSize = size;
    this.#mix(timeUs % 2 ** 32);
    this.#mix(size);
    this.#mixText(who);
    this.#mixText(what);
  }

  get value(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  #mixText(text: string): void {
    for (let index = 0; index < text.length; index++) this.#mix(text.charCodeAt(index));
  }

  #mix(word: number): void {
    this.#hash = Math.imul(this.#hash ^ (word & 0xffff), 0x01000193);
    this.#hash = Math.imul(this.#hash ^ (word >>> 16), 0x01000193);
  }
}
