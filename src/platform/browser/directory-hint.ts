/**
 * Which storage directory to take first. Only a hint: where the browser has no room for it, or denies pages such
 * storage, any directory will do.
 */
export class DirectoryHint {
  readonly #name: string;

  constructor(cluster: string) {
    this.#name = `tabstream/${cluster}/directory`;
  }

  /** The one that this tab held before its reload. A duplicated tab inherits it, and finds the directory locked. */
  get own(): string | undefined {
    return attempt(() => sessionStorage.getItem(this.#name)) ?? undefined;
  }

  /** The one that any tab of this profile was the last to use. */
  get latest(): string | undefined {
    return attempt(() => localStorage.getItem(this.#name)) ?? undefined;
  }

  write(directoryId: string): void {
    attempt(() => sessionStorage.setItem(this.#name, directoryId));
    attempt(() => localStorage.setItem(this.#name, directoryId));
  }
}

function attempt<T>(access: () => T): T | undefined {
  try {
    return access();
  } catch {
    return undefined;
  }
}
