import type { Fetcher, Taken } from "./fetcher.ts";
import { decodeMessages } from "./fetched-records.ts";
import type { ConsumerGroup } from "./group/consumer-group.ts";
import type { ConsumedMessage } from "./messages.ts";
import { isHeld, passed, passedAll } from "./processed-messages.ts";

/**
 * Hands out what the fetcher has, one message for each that is asked for, until `isOver` says so.
 *
 * Alone, handing a message out is the processing: whoever leaves the loop has had it. In a group a message counts when
 * the next one is asked for, since nobody can tell a loop that was left from one that failed.
 */
export async function* messageStream(
  fetcher: Fetcher,
  group: ConsumerGroup | undefined,
  isOver: () => boolean,
): AsyncGenerator<ConsumedMessage, void, undefined> {
  while (!isOver()) {
    const taken = await fetcher.next(isOver);
    if (taken !== undefined) yield* messagesOf(taken, fetcher, group, isOver);
  }
}

async function* messagesOf(
  taken: Taken,
  fetcher: Fetcher,
  group: ConsumerGroup | undefined,
  isOver: () => boolean,
): AsyncGenerator<ConsumedMessage, void, undefined> {
  const { partition, fetched } = taken;
  try {
    for (const message of await decodeMessages(fetched.batches, fetched.aborted)) {
      if (isOver() || isHeld(taken) || group?.mayHandOut === false) return;
      if (group === undefined) passed(taken, Number(message.offset));
      yield { ...message, topic: partition.topic, partition: partition.partition };
      if (group === undefined) continue;
      group.processed(passed(taken, Number(message.offset)));
    }
    passedAll(taken);
  } finally {
    fetcher.done(taken);
    group?.batchProcessed();
  }
}
