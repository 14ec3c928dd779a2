/** Numbers from 0 upwards in groups: the members of a group lie behind each other, ascending. */
export class Grouped {
  readonly #starts: Int32Array;
  readonly #members: Int32Array;

  /** `groupOf` by member; -1 for one that belongs to none. */
  constructor(groupOf: Int32Array, count: number, groups: number) {
    const starts = new Int32Array(groups + 1);
    for (let member = 0; member < count; member++) if (groupOf[member] !== -1) starts[groupOf[member]! + 1]!++;
    for (let group = 0; group < groups; group++) starts[group + 1]! += starts[group]!;
    this.#starts = starts;
    this.#members = new Int32Array(starts[groups]!);
    const next = starts.slice();
    for (let member = 0; member < count; member++) {
      const group = groupOf[member]!;
      if (group !== -1) this.#members[next[group]!++] = member;
    }
  }

  of(group: number): Int32Array {
    return this.#members.subarray(this.#starts[group]!, this.#starts[group + 1]!);
  }
}
