import type { Fetcher, Taken } from "./fetcher.ts";
import { decodeMessages } from "./fetched-records.ts";
import type { ConsumedMessage } from "./messages.ts";
import { isStale, passed, passedAll } from "./processed-messages.ts";

/** Hands out what the fetcher has, one message for each that is asked for, until `isOver` says so. */
export async function* messageStream(
  fetcher: Fetcher,
  isOver: () => boolean,
): AsyncGenerator<ConsumedMessage, void, undefined> {
  while (!isOver()) {
    const taken = await fetcher.next(isOver);
    if (taken !== undefined) yield* messagesOf(taken, fetcher, isOver);
  }
}

async function* messagesOf(
  taken: Taken,
  fetcher: Fetcher,
  isOver: () => boolean,
): AsyncGenerator<ConsumedMessage, void, undefined> {
  const { partition, fetched } = taken;
  try {
    for (const message of await decodeMessages(fetched.batches, fetched.aborted)) {
      if (isOver() || partition.paused || isStale(taken)) return;
      // Handing it out is the processing: whoever leaves the loop here has had this message.
      passed(taken, Number(message.offset));
      yield { ...message, topic: partition.topic, partition: partition.partition };
    }
    passedAll(taken);
  } finally {
    fetcher.done(taken);
  }
}
