import type { AnomalyClass } from "./anomaly.ts";
import type { HistoryEvent, PollEvent, SendEvent, TransactionEvent } from "./history.ts";

type Random = (limit: number) => number;
type Test<Event> = (event: Event, about: Facts, index: number) => boolean;

/** A fault planted into a legal history; undefined when the history offers no place where it could be noticed. */
export interface Mutation {
  readonly mutate: (history: readonly HistoryEvent[], random: Random) => HistoryEvent[] | undefined;
  /** The classes of which one has to be found. */
  readonly oneOf: readonly AnomalyClass[];
}

/** What it takes to know whether a fault at some place can be noticed. */
class Facts {
  readonly sends = new Map<string, SendEvent>();
  readonly acks = new Map<string, SendEvent>();
  readonly reads = new Map<string, PollEvent[]>();
  readonly transactions = new Map<string, TransactionEvent["type"]>();
  readonly trims = new Map<string, number>();
  readonly history: readonly HistoryEvent[];

  constructor(history: readonly HistoryEvent[]) {
    this.history = history;
    for (const event of history) {
      if (event.f === "send" && event.type === "invoke") this.sends.set(event.value, event);
      if (event.f === "send" && event.type === "ok") this.acks.set(event.value, event);
      if (event.f === "poll") this.reads.set(event.value, [...(this.reads.get(event.value) ?? []), event]);
      if (event.f === "transaction") this.transactions.set(event.operation, event.type);
      if (event.f === "trim") this.trims.set(event.partition, event.offset);
    }
  }

  /** Acknowledged by all replicas, outside of transactions. */
  isSafe(value: string): boolean {
    const send = this.sends.get(value);
    return this.acks.has(value) && send?.acks !== "leader" && !this.isTransactional(value);
  }

  isTransactional(value: string): boolean {
    return this.transactions.has(this.sends.get(value)?.operation ?? "");
  }

  isTrimmed({ partition, offset = 0 }: { readonly partition: string; readonly offset?: number }): boolean {
    return offset < (this.trims.get(partition) ?? 0);
  }

  readBy(process: string, value: string): PollEvent | undefined {
    return this.reads.get(value)?.find((poll) => poll.process === process);
  }

  isReadByCommitted(value: string): boolean {
    return this.reads.get(value)?.some(({ process }) => process !== "u") ?? false;
  }

  /** The next poll of the same consumer and partition, if nothing told it to be elsewhere. */
  next(index: number): number | undefined {
    return this.#neighbour(index, 1);
  }

  previous(index: number): number | undefined {
    return this.#neighbour(index, -1);
  }

  #neighbour(index: number, step: number): number | undefined {
    const from = this.history[index];
    if (from?.f !== "poll") return undefined;
    for (let at = index + step; at >= 0 && at < this.history.length; at += step) {
      const event = this.history[at]!;
      if (event.f === "trim" || !("process" in event) || event.process !== from.process) continue;
      if (event.f === "assign" || event.f === "subscribe" || event.f === "rebalance") return undefined;
      if (event.f === "poll" && event.partition === from.partition) return at;
    }
    return undefined;
  }
}

/** Changes the history at a random place where `fits` holds. */
function atOne<Kind extends HistoryEvent>(
  isKind: (event: HistoryEvent) => event is Kind,
  fits: Test<Kind>,
  change: (event: Kind, about: Facts, index: number) => HistoryEvent[],
): Mutation["mutate"] {
  return (history, random) => {
    const about = new Facts(history);
    const places = [...history.keys()].filter((index) => {
      const event = history[index]!;
      return isKind(event) && fits(event, about, index);
    });
    const at = places[random(Math.max(1, places.length))];
    if (at === undefined) return undefined;
    return change(history[at] as Kind, about, at);
  };
}

/** Puts other events in the place of one. */
function instead<Kind extends HistoryEvent>(
  isKind: (event: HistoryEvent) => event is Kind,
  fits: Test<Kind>,
  replace: (event: Kind, about: Facts) => HistoryEvent[],
): Mutation["mutate"] {
  return atOne(isKind, fits, (event, about, index) => about.history.toSpliced(index, 1, ...replace(event, about)));
}

const isFinal = (event: HistoryEvent): event is PollEvent => event.f === "poll" && event.process === "final";
const isOfAssigned = (event: HistoryEvent): event is PollEvent => event.f === "poll" && event.process === "c";
const isSend = (event: HistoryEvent): event is SendEvent => event.f === "send";
const isTransaction = (event: HistoryEvent): event is TransactionEvent => event.f === "transaction";
const always = () => true;

/** Polls of a consumer with one before and one behind, whose records nobody removed. */
const isBetween: Test<PollEvent> = (event, about, index) =>
  about.previous(index) !== undefined &&
  about.next(index) !== undefined &&
  !about.isTrimmed(event) &&
  about.readBy("final", event.value) !== undefined;

function valuesOf(operation: string, { sends }: Facts): string[] {
  return [...sends.values()].flatMap((send) => (send.operation === operation ? [send.value] : []));
}

/** Two records change places in the log, whoever tells of them. */
function swapInLog(history: readonly HistoryEvent[], one: PollEvent, other: PollEvent): HistoryEvent[] {
  const offsets = new Map([[one.value, other.offset], [other.value, one.offset]]);
  const moved = history.map((event) => {
    if ((event.f !== "send" && event.f !== "poll") || event.offset === undefined) return event;
    return { ...event, offset: offsets.get(event.value) ?? event.offset };
  });
  // The final reader still reads upwards.
  const placeOf = ({ value }: PollEvent) => moved.findIndex((event) => isFinal(event) && event.value === value);
  const [first, second] = [placeOf(one), placeOf(other)];
  return moved.with(first, moved[second]!).with(second, moved[first]!);
}

/** Pairs of the final reader's polls of one partition. */
function swapPair(fits: (one: PollEvent, other: PollEvent, about: Facts) => boolean): Mutation["mutate"] {
  return (history, random) => {
    const about = new Facts(history);
    const finals = history.filter(isFinal);
    const pairs = finals.flatMap((one, at) =>
      finals.slice(at + 1).flatMap((other) => {
        return one.partition === other.partition && fits(one, other, about) ? [[one, other] as const] : [];
      }),
    );
    const pair = pairs[random(Math.max(1, pairs.length))];
    return pair === undefined ? undefined : swapInLog(history, pair[0], pair[1]);
  };
}

const isSameProducer = (one: PollEvent, other: PollEvent) => one.value.slice(0, 1) === other.value.slice(0, 1);

export const mutations: Record<string, Mutation> = {
  "the final reader misses a record": {
    mutate: instead(isFinal, ({ value, offset, partition }, about) => {
      return about.isSafe(value) && !about.isTrimmed({ partition, offset });
    }, () => []),
    oneOf: ["unseen"],
  },
  "the final reader gets a record twice": {
    mutate: instead(isFinal, always, (event) => [event, event]),
    oneOf: ["nonmonotonic-poll", "int-nonmonotonic-poll"],
  },
  "the final reader gets another record instead": {
    mutate: instead(
      isFinal,
      ({ value, partition }, { history }) => history.some((other) => isOther(other, value, partition)),
      (event, { history }) => {
        const other = history.find((one) => isOther(one, event.value, event.partition)) as PollEvent;
        return [{ ...event, value: other.value, content: other.content }];
      },
    ),
    oneOf: ["duplicate"],
  },
  "a record moves to the next offset": {
    mutate: instead(
      isFinal,
      ({ value }, { acks, sends }) => acks.has(value) && sends.get(value)?.acks !== "leader",
      (event) => [{ ...event, offset: event.offset + 1 }],
    ),
    oneOf: ["duplicate"],
  },
  "a byte changes": {
    mutate: instead(isFinal, always, (event) => [{ ...event, content: `${event.content}!` }]),
    oneOf: ["corrupt"],
  },
  "a value comes from nowhere": {
    mutate: instead(isFinal, always, (event) => [{ ...event, value: `${event.value}?` }]),
    oneOf: ["unsent"],
  },
  "a record turns up in another partition": {
    mutate: instead(isFinal, always, (event) => [{ ...event, partition: event.partition === "t-0" ? "t-1" : "t-0" }]),
    oneOf: ["unsent"],
  },
  "a record that was read is reported as failed": {
    mutate: instead(
      isSend,
      ({ type, value }, about) => type === "ok" && about.reads.has(value) && !about.isTransactional(value),
      (event) => [{ ...event, type: "fail" }],
    ),
    oneOf: ["failed-read"],
  },
  "a failed send is acknowledged": {
    mutate: instead(
      isSend,
      ({ type, value }, { sends }) => type === "fail" && sends.get(value)?.acks !== "leader",
      (event) => [{ ...event, type: "ok", offset: 10_000 }],
    ),
    oneOf: ["unseen"],
  },
  "a record that its leader lost had been promised by all": {
    mutate: instead(
      isSend,
      (event, about) => {
        const { type, acks, value, partition } = event;
        const offset = about.acks.get(value)?.offset;
        return type === "invoke" && acks === "leader" && offset !== undefined && !about.reads.has(value) &&
          !about.isTrimmed({ partition, offset });
      },
      (event) => [{ ...event, acks: "all" }],
    ),
    oneOf: ["unseen"],
  },
  "two neighbours change places in what the final reader reads": {
    mutate: atOne(isFinal, (_, about, index) => about.next(index) !== undefined, (event, about, index) => {
      const next = about.next(index)!;
      return about.history.with(index, about.history[next]!).with(next, event);
    }),
    oneOf: ["nonmonotonic-poll", "int-nonmonotonic-poll"],
  },
  "two records of one producer change places in the log": {
    mutate: swapPair(isSameProducer),
    oneOf: ["nonmonotonic-send", "int-nonmonotonic-send"],
  },
  "two records whose sends did not overlap change places in the log": {
    mutate: swapPair((one, other, about) => {
      const ackedAt = about.acks.get(one.value)?.timeMs ?? Infinity;
      const sentAt = about.sends.get(other.value)?.timeMs ?? -Infinity;
      return ackedAt < sentAt && about.isSafe(one.value) && about.isSafe(other.value) && !isSameProducer(one, other);
    }),
    oneOf: ["G0-realtime", "G1c-realtime", "G0-process", "G1c-process"],
  },
  "a record vanishes from every read": {
    mutate: atOne(
      isSend,
      ({ type, value, partition, offset = 0 }, about) => {
        return type === "ok" && about.isSafe(value) && !about.isTrimmed({ partition, offset });
      },
      ({ value }, { history }) => history.filter((event) => event.f !== "poll" || event.value !== value),
    ),
    oneOf: ["unseen"],
  },
  "nobody removed the records that are not there": {
    mutate: (history) => {
      const about = new Facts(history);
      const isMissing = [...about.acks.values()].some(({ value }) => {
        return about.isSafe(value) && about.readBy("final", value) === undefined;
      });
      return isMissing ? history.filter(({ f }) => f !== "trim") : undefined;
    },
    oneOf: ["unseen"],
  },
  "a transaction whose records were read is reported as failed": {
    mutate: instead(
      isTransaction,
      ({ type, operation }, about) => {
        return type === "ok" && valuesOf(operation, about).some((value) => about.isReadByCommitted(value));
      },
      (event) => [{ ...event, type: "fail" }],
    ),
    oneOf: ["failed-read"],
  },
  "a transaction that failed is reported as committed": {
    mutate: instead(
      isTransaction,
      ({ type, operation }, about) => {
        return type === "fail" && valuesOf(operation, about).some((value) => !about.isTrimmed(about.acks.get(value)!));
      },
      (event) => [{ ...event, type: "ok" }],
    ),
    oneOf: ["unseen"],
  },
  "a transaction loses one of its records": {
    mutate: atOne(
      isFinal,
      ({ value }, about) => {
        const { operation = "" } = about.sends.get(value) ?? {};
        return about.isTransactional(value) &&
          valuesOf(operation, about).some((other) => other !== value && about.isReadByCommitted(other));
      },
      ({ value }, { history }) => history.filter((event) => event.f !== "poll" || event.value !== value),
    ),
    oneOf: ["unseen"],
  },
  "a consumer gets all of a transaction but one record": {
    mutate: instead(
      isOfAssigned,
      (event, about, index) => {
        const { operation = "" } = about.sends.get(event.value) ?? {};
        const times = about.reads.get(event.value)?.filter(({ process }) => process === "c").length;
        return times === 1 && isBetween(event, about, index) && about.isTransactional(event.value) &&
          valuesOf(operation, about).some((other) => other !== event.value && about.readBy("c", other) !== undefined);
      },
      () => [],
    ),
    oneOf: ["torn"],
  },
  "a transaction reads what it sent": {
    mutate: instead(
      isSend,
      ({ type, value }, about) => type === "ok" && about.isTransactional(value),
      (event, { sends }) => {
        const { operation = "", content = "" } = sends.get(event.value)!;
        const read = { f: "poll", process: "x", type: "ok", operation, content, offset: event.offset! } as const;
        return [event, { ...read, partition: event.partition, value: event.value }];
      },
    ),
    oneOf: ["precommitted-read"],
  },
  "a consumer passes over a record": {
    mutate: instead(isOfAssigned, isBetween, () => []),
    oneOf: ["poll-skip", "int-poll-skip"],
  },
  "a consumer gets a record twice": {
    mutate: instead(isOfAssigned, always, (event) => [event, event]),
    oneOf: ["nonmonotonic-poll", "int-nonmonotonic-poll"],
  },
};

function isOther(event: HistoryEvent, value: string, partition: string): boolean {
  return isFinal(event) && event.value !== value && event.partition === partition;
}
