/**
 * A change to the source that breaks one rule, as somebody might make it by mistake. The text must stand in the file
 * exactly once, so that a source that has moved on is noticed.
 */
export interface PlantedBug {
  readonly name: string;
  /** The rule of src/replication/SPEC.md, or what else is broken. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
  /** Scripts that go through what the rule is about: every other seed that is tried follows one of them. */
  readonly scripts?: readonly string[];
}

export interface Edit {
  readonly file: string;
  readonly replace: string;
  readonly by: string;
}

export function bug(name: string, breaks: string, file: string, replace: string, by: string): PlantedBug {
  return { name, breaks, edits: [{ file, replace, by }] };
}
