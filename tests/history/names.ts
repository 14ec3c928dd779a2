/** Numbers strings from 0 upwards, in the order in which they are first seen. */
export class Names {
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];
  #last = "";
  #lastNumber = -1;

  get count(): number {
    return this.#names.length;
  }

  /** Successive events often name the same thing, so the last one is looked at first. */
  number(name: string): number {
    if (name === this.#last && this.#lastNumber >= 0) return this.#lastNumber;
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#names.length;
      this.#numbers.set(name, number);
      this.#names.push(name);
    }
    this.#last = name;
    this.#lastNumber = number;
    return number;
  }

  find(name: string): number | undefined {
    return this.#numbers.get(name);
  }

  name(number: number): string {
    return this.#names[number] ?? "?";
  }
}
