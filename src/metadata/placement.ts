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
    const taken = new Set(existing);
    const open = this.#brokers.filter(({ brokerId }) => !taken.has(brokerId) && accepts(brokerId));
    // Of one rack the emptiest comes first, and each that comes makes the rack fuller for the next: so all are ranked
    // at once, however many are wanted.
    const perRack = this.#perRack(existing);
    const ranked = open.sort((left, right) => this.#load(left) - this.#load(right)).map((broker) => {
      const rank = this.#crowding(broker, perRack);
      add(perRack, broker.rack, 1);
      return { brokerId: broker.brokerId, rank };
    });
    const added = ranked.sort((left, right) => left.rank - right.rank).slice(0, wanted).map(({ brokerId }) => brokerId);
    for (const brokerId of added) add(this.#replicas, brokerId, 1);
    return added;
  }

  /** The one of `replicas` to give up most readily: from the fullest rack, then from the fullest broker. */
  leastNeeded(replicas: readonly number[], candidates: readonly number[]): number | undefined {
    const known = this.#brokers.filter(({ brokerId }) => candidates.includes(brokerId));
    const unknown = candidates.find((node) => !known.some(({ brokerId }) => brokerId === node));
    if (unknown !== undefined) return unknown;
    const others = (broker: PlacementBroker) => replicas.filter((node) => node !== broker.brokerId);
    return least(known, (broker) => -this.#crowding(broker, this.#perRack(others(broker))))?.brokerId;
  }

  /** Orders brokers by how little they would add: racks weigh more than any load. */
  #crowding(broker: PlacementBroker, perRack: ReadonlyMap<string | null, number>): number {
    const sharing = broker.rack === null ? 0 : (perRack.get(broker.rack) ?? 0);
    return sharing * 2 ** 32 + this.#load(broker);
  }

  #load({ brokerId }: PlacementBroker): number {
    return this.#replicas.get(brokerId) ?? 0;
  }

  /** How many of a partition's replicas each rack holds. */
  #perRack(replicas: readonly number[]): Map<string | null, number> {
    const counts = new Map<string | null, number>();
    for (const node of replicas) add(counts, this.#racks.get(node) ?? null, 1);
    return counts;
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

function add<K>(counts: Map<K, number>, key: K, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
