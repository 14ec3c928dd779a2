import { Random } from "../../metadata/random.ts";

/** Draws for one purpose. Each purpose has a seed of its own, so that a change to one does not shift the others. */
export class Chance {
  readonly #random: Random;

  constructor(seed: string) {
    this.#random = new Random(seed);
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    return this.#random.next() % limit;
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True so many times in a thousand. */
  permille(times: number): boolean {
    return this.below(1000) < times;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  uuid(): string {
    return this.#random.uuid();
  }
}
