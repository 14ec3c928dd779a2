/**
 * What became of a group over time: who read each partition when, and the rebalances that this came from. Pure, so that
 * what the page claims is tested without a cluster.
 */

/** What is known at one time. Members and readers go by a key that stays the same while they live. */
export interface Moment {
  readonly atMs: number;
  /** When the coordinator was asked for what is told here of it. */
  readonly heardMs: number;
  /** Whether the group is stable, or empty, for all that the coordinator and its members say. */
  readonly stable: boolean;
  /** Names by key, of the members that the coordinator knows. */
  readonly members: ReadonlyMap<string, string>;
  /** Who reads each partition. Undefined when nobody does. */
  readonly readers: ReadonlyMap<string, string | undefined>;
  /** Members that are known to have died or to stand still. */
  readonly silent: ReadonlySet<string>;
  /** Members that are known to be about to leave. */
  readonly leaving: ReadonlySet<string>;
}

export interface Span {
  readonly reader: string | undefined;
  readonly fromMs: number;
}

export interface Change {
  readonly partition: string;
  /** Keys of readers. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** How long nobody read it; undefined if nobody did before either. */
  readonly unreadMs: number | undefined;
}

export interface Rebalance {
  readonly id: number;
  /** When something first changed: a reader fell silent, or the group began to rebalance. */
  readonly fromMs: number;
  /** When the group itself began to rebalance; undefined while it has not. */
  readonly beganMs: number | undefined;
  /** Undefined while it is under way. */
  readonly endedMs: number | undefined;
  readonly joined: readonly string[];
  readonly left: readonly string[];
  readonly silent: readonly string[];
  /** Partitions that have another reader, or were not read for a while. */
  readonly changes: readonly Change[];
  /** Partitions that were read by the same reader all the time. */
  readonly unmoved: number;
}

interface Calm {
  readonly members: ReadonlyMap<string, string>;
  readonly readers: ReadonlyMap<string, string | undefined>;
}

interface Open {
  readonly id: number;
  readonly fromMs: number;
  readonly before: Calm;
  beganMs: number | undefined;
  /** Since when all has been calm; a little later it counts as over. */
  settledMs: number | undefined;
  readonly silent: Set<string>;
  readonly unread: Map<string, { totalMs: number; sinceMs: number | undefined }>;
}

export const LANE_MS = 60_000;
const REBALANCES_KEPT = 30;
const QUIET_MS = 1500;

export class GroupHistory {
  readonly #lanes = new Map<string, Span[]>();
  #calm: Calm = { members: new Map(), readers: new Map() };
  #calmMs = 0;
  #open: Open | undefined;
  #last: Moment | undefined;
  /** When a partition last got another reader, or lost its. */
  #turnedMs = 0;
  #closed: Rebalance[] = [];
  #closedCount = 0;
  #nextId = 1;

  /** Spans by partition, oldest first, each until the next. */
  get lanes(): ReadonlyMap<string, readonly Span[]> {
    return this.#lanes;
  }

  /** The newest first; the first may be under way. */
  get rebalances(): readonly Rebalance[] {
    const current = this.#current();
    return current === undefined ? this.#closed : [current, ...this.#closed].slice(0, REBALANCES_KEPT);
  }

  /** All that were seen, also those that are not kept any more. */
  get rebalanceCount(): number {
    return this.#closedCount + (this.#current() === undefined ? 0 : 1);
  }

  onMoment(told: Moment): void {
    const before = this.#last;
    // Readers and coordinator are heard of by different ways; time does not run backwards here.
    const moment = { ...told, atMs: Math.max(told.atMs, before?.atMs ?? 0) };
    if (before !== undefined) this.#closeSettled(before, moment);
    this.#last = moment;
    this.#extendLanes(moment);
    // Readers know of their partitions before the coordinator has been asked who its members are now.
    const isCurrent = moment.heardMs >= this.#turnedMs;
    const isShared = moment.members.size === 0 || [...moment.readers.values()].every(isRead);
    const isCalm = moment.stable && isCurrent && isShared;
    if (before === undefined && moment.stable && isShared) return this.#rest(moment);
    this.#open ??= this.#opened(moment, isCalm);
    if (this.#open === undefined) return this.#rest(moment);
    this.#measure(this.#open, moment);
    if (!isCalm) this.#open.settledMs = undefined;
    else if (before === undefined || !isSame(before, moment)) this.#open.settledMs = moment.atMs;
    else this.#open.settledMs ??= moment.atMs;
  }

  /**
   * Incremental protocols rebalance twice in a row, which is one event for who watches. So one ends only when all has
   * been quiet for a while, or when something else happens to a member.
   */
  #closeSettled(last: Moment, moment: Moment): void {
    const open = this.#open;
    if (open?.settledMs === undefined) return;
    const isOther = (["members", "silent", "leaving"] as const).some((of) => !sameKeys(last[of], moment[of]));
    if (!isOther && moment.atMs - open.settledMs < QUIET_MS) return;
    const entry = this.#entry(open, last);
    if (isEvent(entry)) {
      this.#closed = [entry, ...this.#closed].slice(0, REBALANCES_KEPT);
      this.#closedCount++;
    }
    this.#open = undefined;
    this.#rest(last);
  }

  #current(): Rebalance | undefined {
    if (this.#open === undefined || this.#last === undefined) return undefined;
    const entry = this.#entry(this.#open, this.#last);
    return entry.endedMs !== undefined && !isEvent(entry) ? undefined : entry;
  }

  #rest({ members, readers, atMs }: Moment): void {
    this.#calm = { members, readers };
    this.#calmMs = atMs;
  }

  #opened(moment: Moment, isCalm: boolean): Open | undefined {
    const before = this.#calm;
    if (isCalm && isSame(before, moment)) return undefined;
    // A rebalance that was over between two looks began after the first of them.
    const fromMs = isCalm && this.#calmMs > 0 ? this.#calmMs : moment.atMs;
    const id = this.#nextId++;
    return { id, fromMs, before, beganMs: undefined, settledMs: undefined, silent: new Set(), unread: new Map() };
  }

  #measure(open: Open, moment: Moment): void {
    const { atMs } = moment;
    if (!moment.stable || !sameKeys(open.before.members, moment.members)) open.beganMs ??= atMs;
    for (const key of moment.silent) open.silent.add(key);
    for (const [partition, reader] of moment.readers) {
      const known = open.unread.get(partition) ?? { totalMs: 0, sinceMs: undefined };
      open.unread.set(partition, known);
      if (reader === undefined) known.sinceMs ??= atMs;
      else if (known.sinceMs !== undefined) {
        known.totalMs += atMs - known.sinceMs;
        known.sinceMs = undefined;
      }
    }
  }

  #entry(open: Open, now: Moment): Rebalance {
    const { before } = open;
    const gone = [...before.members].filter(([key]) => !now.members.has(key));
    const changes: Change[] = [];
    for (const [partition, to] of now.readers) {
      const from = before.readers.get(partition);
      const unread = open.unread.get(partition);
      const ofNow = unread?.sinceMs === undefined ? 0 : now.atMs - unread.sinceMs;
      const unreadMs = from === undefined ? undefined : (unread?.totalMs ?? 0) + ofNow;
      if (from !== to || (unreadMs ?? 0) > 0) changes.push({ partition, from, to, unreadMs });
    }
    const namesOf = (entries: readonly (readonly [string, string])[]) => entries.map(([, name]) => name).sort();
    return {
      id: open.id,
      fromMs: open.fromMs,
      beganMs: open.beganMs,
      endedMs: open.settledMs,
      joined: namesOf([...now.members].filter(([key]) => !before.members.has(key))),
      left: namesOf(gone.filter(([key]) => !open.silent.has(key))),
      silent: namesOf([...before.members].filter(([key]) => open.silent.has(key))),
      changes,
      unmoved: now.readers.size - changes.length,
    };
  }

  #extendLanes({ atMs, readers }: Moment): void {
    for (const partition of this.#lanes.keys()) if (!readers.has(partition)) this.#lanes.delete(partition);
    for (const [partition, reader] of readers) {
      const spans = this.#lanes.get(partition) ?? [];
      this.#lanes.set(partition, spans);
      const last = spans.at(-1);
      if (last === undefined || last.reader !== reader) {
        spans.push({ reader, fromMs: atMs });
        this.#turnedMs = atMs;
      }
      while ((spans[1]?.fromMs ?? Infinity) < atMs - LANE_MS) spans.shift();
    }
  }
}

function isRead(reader: string | undefined): boolean {
  return reader !== undefined;
}

interface Keys {
  readonly size: number;
  keys(): Iterable<string>;
  has(key: string): boolean;
}

function sameKeys(left: Keys, right: Keys): boolean {
  return left.size === right.size && [...left.keys()].every((key) => right.has(key));
}

function isSame(left: Calm, right: Calm): boolean {
  const haveSameReaders = [...left.readers].every(([partition, reader]) => right.readers.get(partition) === reader);
  return haveSameReaders && sameKeys(left.readers, right.readers) && sameKeys(left.members, right.members);
}

function isEvent({ joined, left, silent, changes }: Rebalance): boolean {
  return joined.length + left.length + silent.length + changes.length > 0;
}
