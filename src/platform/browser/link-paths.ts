/** Which way the connections with another tab take. Plain data, for the inspector. */
export interface LinkPath {
  readonly peer: string;
  readonly path: "direct" | "relay";
  readonly connections: number;
}

/** Counts open connections by peer and path. */
export class LinkPaths {
  readonly #changed: () => void;
  readonly #paths = new Map<string, LinkPath>();

  constructor(changed: () => void = () => {}) {
    this.#changed = changed;
  }

  /** One more connection; returns what to call when it has closed. */
  opened(peer: string, path: LinkPath["path"]): () => void {
    this.#add(peer, path, 1);
    return () => this.#add(peer, path, -1);
  }

  list(): readonly LinkPath[] {
    return [...this.#paths.values()];
  }

  #add(peer: string, path: LinkPath["path"], difference: number): void {
    const key = `${path} ${peer}`;
    const connections = (this.#paths.get(key)?.connections ?? 0) + difference;
    if (connections === 0) this.#paths.delete(key);
    else this.#paths.set(key, { peer, path, connections });
    this.#changed();
  }
}
