/** A directed graph whose edges have a kind, one bit of a mask, and a number that says what they stand for. */
export class LabelledGraph {
  #nodes = 0;
  #edges = 0;
  #from = new Int32Array(1024);
  #to = new Int32Array(1024);
  #kind = new Uint8Array(1024);
  #via = new Int32Array(1024);
  /** By node, the end of its edges in `#out`; made when the graph is first searched. */
  #ends: Int32Array | undefined;
  #out = new Int32Array(0);

  add(from: number, to: number, kind: number, via: number): void {
    if (from === to) return;
    if (this.#edges === this.#from.length) this.#grow();
    const edge = this.#edges++;
    this.#from[edge] = from;
    this.#to[edge] = to;
    this.#kind[edge] = kind;
    this.#via[edge] = via;
    this.#nodes = Math.max(this.#nodes, from + 1, to + 1);
  }

  from(edge: number): number {
    return this.#from[edge]!;
  }

  kind(edge: number): number {
    return this.#kind[edge]!;
  }

  via(edge: number): number {
    return this.#via[edge]!;
  }

  /** The strongly connected components of several nodes, by edges of the kinds in `mask` (Tarjan's, not recursive). */
  components(mask: number): Int32Array[] {
    const ends = this.#index();
    const found: Int32Array[] = [];
    const depth = new Int32Array(this.#nodes);
    const low = new Int32Array(this.#nodes);
    const next = new Int32Array(this.#nodes);
    const isOpen = new Uint8Array(this.#nodes);
    const open = new Int32Array(this.#nodes);
    const path = new Int32Array(this.#nodes);
    let openCount = 0;
    let visited = 0;
    for (let root = 0; root < this.#nodes; root++) {
      if (depth[root] !== 0) continue;
      let length = 0;
      let node = root;
      for (;;) {
        if (depth[node] === 0) {
          depth[node] = low[node] = ++visited;
          next[node] = node === 0 ? 0 : ends[node - 1]!;
          isOpen[node] = 1;
          open[openCount++] = node;
          path[length++] = node;
        }
        let deeper = -1;
        while (deeper === -1 && next[node]! < ends[node]!) {
          const edge = this.#out[next[node]!++]!;
          if ((this.#kind[edge]! & mask) === 0) continue;
          const to = this.#to[edge]!;
          if (depth[to] === 0) deeper = to;
          else if (isOpen[to] === 1 && depth[to]! < low[node]!) low[node] = depth[to]!;
        }
        if (deeper !== -1) {
          node = deeper;
          continue;
        }
        if (low[node] === depth[node]) {
          const end = openCount;
          do isOpen[open[--openCount]!] = 0;
          while (open[openCount] !== node);
          if (end - openCount > 1) found.push(open.slice(openCount, end));
        }
        if (--length === 0) break;
        const parent = path[length - 1]!;
        if (low[node]! < low[parent]!) low[parent] = low[node]!;
        node = parent;
      }
    }
    return found;
  }

  /**
   * The edges of a short cycle within a component that has at least one edge of each kind in `needed`, the first one of
   * kind `through`. Only so many beginnings are tried.
   */
  cycle(component: Int32Array, mask: number, through: number, needed: number): number[] | undefined {
    const inside = new Set(component);
    const ends = this.#index();
    let best: number[] | undefined;
    let tries = 0;
    for (const node of component) {
      for (let at = node === 0 ? 0 : ends[node - 1]!; at < ends[node]!; at++) {
        const edge = this.#out[at]!;
        if (this.#kind[edge] !== through || !inside.has(this.#to[edge]!)) continue;
        if (tries++ === MAX_BEGINNINGS) return best;
        const cycle = [edge, ...this.#path(this.#to[edge]!, node, mask, inside)];
        const kinds = cycle.reduce((all, one) => all | this.#kind[one]!, 0);
        if ((kinds & needed) === needed && cycle.length < (best?.length ?? Infinity)) best = cycle;
      }
    }
    return best;
  }

  /** The edges of the shortest path; there is one between any two nodes of a component. */
  #path(from: number, to: number, mask: number, inside: ReadonlySet<number>): number[] {
    const ends = this.#index();
    const arrivedBy = new Map<number, number>([[from, -1]]);
    for (const node of arrivedBy.keys()) {
      if (node === to) break;
      for (let at = node === 0 ? 0 : ends[node - 1]!; at < ends[node]!; at++) {
        const edge = this.#out[at]!;
        const reached = this.#to[edge]!;
        if ((this.#kind[edge]! & mask) === 0 || !inside.has(reached) || arrivedBy.has(reached)) continue;
        arrivedBy.set(reached, edge);
      }
    }
    const path: number[] = [];
    for (let edge = arrivedBy.get(to)!; edge !== -1; edge = arrivedBy.get(this.#from[edge]!)!) path.push(edge);
    return path.reverse();
  }

  #index(): Int32Array {
    if (this.#ends !== undefined) return this.#ends;
    const ends = new Int32Array(this.#nodes);
    for (let edge = 0; edge < this.#edges; edge++) ends[this.#from[edge]!]!++;
    for (let node = 1; node < this.#nodes; node++) ends[node]! += ends[node - 1]!;
    const next = ends.slice();
    this.#out = new Int32Array(this.#edges);
    for (let edge = this.#edges - 1; edge >= 0; edge--) this.#out[--next[this.#from[edge]!]!] = edge;
    return (this.#ends = ends);
  }

  #grow(): void {
    const grown = <A extends Int32Array | Uint8Array>(old: A, larger: A): A => {
      larger.set(old);
      return larger;
    };
    const length = this.#from.length * 2;
    this.#from = grown(this.#from, new Int32Array(length));
    this.#to = grown(this.#to, new Int32Array(length));
    this.#via = grown(this.#via, new Int32Array(length));
    this.#kind = grown(this.#kind, new Uint8Array(length));
  }
}

const MAX_BEGINNINGS = 64;
