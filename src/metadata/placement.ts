/** A broker that may be given replicas. */
export interface PlacementBroker {
  readonly brokerId: number;
  /** Brokers of one rack fail together: tabs of one browser profile. Null is a rack of its own. */
  readonly rack: string | null;
}

/**
 * Gives out replicas: to racks that hold none of the partition's replicas first, then to the brokers with the fewest
 * replicas. Counts what it gives, so that placing many partitions spreads them.
 */
export class Placement {
  readonly #brokers: readonly PlacementBroker[];
  readonly #racks: ReadonlyMap<number, string | null>;
  readonly #replicas = new Map<number, number>();
  readonly #leaders = new Map<number, number>();

  constructor(brokers: Iterable<PlacementBroker>) {
    this.#brokers = [...brokers].sort((left, right) => left.brokerId - right.brokerId);
    this.#racks = new Map(this.#brokers.map(({ brokerId, rack }) => [brokerId, rack]));
  }

  /** Takes a partition that exists into account. */
  count(partition: { readonly replicas: readonly number[]; readonly leader: number }): void {
    for (const node of partition.replicas) add(this.#replicas, node, 1);
    add(this.#leaders, partition.leader, 1);
  }

  /** Up to `wanted` brokers for a new partition, the one that leads the fewest partitions first. */
  placePartition(wanted: number): number[] {
    const replicas = this.addReplicas([], wanted);
    const leader = least(replicas, (node) => this.#leaders.get(node) ?? 0);
    if (leader === undefined) return [];
    add(this.#leaders, leader, 1);
    return [leader, ...replicas.filter((node) => node !== leader)];
  }

  /** Up to `wanted` further brokers for a partition on the brokers `existing`; `accepts` can rule out some. */
  addReplicas(
    existing: readonly number[],
    wanted: number,
    accepts: (brokerId: number) => boolean = () => true,
  ): number[] {
    const added: number[] = [];
    while (added.length < wanted) {
      const taken = [...existing, ...added];
      const open = this.#brokers.filter(({ brokerId }) => !taken.includes(brokerId) && accepts(brokerId));
      const next = least(open, (broker) => this.#crowding(broker, taken));
      if (next === undefined) break;
      added.push(next.brokerId);
      add(this.#replicas, next.brokerId, 1);
    }
    return added;
  }

  /** The one of `replicas` to give up most readily: from the fullest rack, then from the fullest broker. */
  leastNeeded(replicas: readonly number[], candidates: readonly number[]): number | undefined {
    const known = this.#brokers.filter(({ brokerId }) => candidates.includes(brokerId));
    const unknown = candidates.find((node) => !known.some(({ brokerId }) => brokerId === node));
    if (unknown !== undefined) return unknown;
    const others = (broker: PlacementBroker) => replicas.filter((node) => node !== broker.brokerId);
    return least(known, (broker) => -this.#crowding(broker, others(broker)))?.brokerId;
  }

  /** Orders brokers by how little they would add: racks weigh more than any load. */
  #crowding(broker: PlacementBroker, taken: readonly number[]): number {
    const sharing = taken.filter((node) => broker.rack !== null && this.#racks.get(node) === broker.rack);
    return sharing.length * 2 ** 32 + (this.#replicas.get(broker.brokerId) ?? 0);
  }
}

/** The first of the items with the smallest rank. */
function least<T>(items: readonly T[], rank: (item: T) => number): T | undefined {
  let best: T | undefined;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const itemRank = rank(item);
    if (itemRank >= bestRank) continue;
    best = item;
    bestRank = itemRank;
  }
  return best;
}

function add(counts: Map<number, number>, node: number, by: number): void {
  counts.set(node, (counts.get(node) ?? 0) + by);
}
