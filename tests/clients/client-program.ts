import type { CodecName } from "../../src/protocol/record-batch.ts";

/** A program to start, with its arguments. */
export type Command = readonly string[];

/** Where a consumer begins: at the first record, at the first from a time on, or where its group is. */
export type Start =
  | { readonly from: "beginning" }
  | { readonly from: "timestamp"; readonly timestamp: number }
  | { readonly from: "group"; readonly group: string };

/**
 * A Kafka client as its user meets it: command lines. Producers take records from standard input, one a line, and end
 * with status 0 once all are acknowledged; consumers print them until SIGTERM, at which those of a group commit what
 * they printed. Such a line is a key, a tab and a value.
 */
export interface ClientProgram {
  readonly name: string;
  /** The codecs it can compress with. */
  readonly codecs: readonly CodecName[];
  /** Retries of its producer leave one copy of each record. */
  readonly idempotent: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Installs it; throws MissingToolchain where that cannot be. */
  install(): Promise<void>;
  /** Undefined where topics come into being as they are used. */
  createTopic: ((bootstrap: string, topic: string) => Command) | undefined;
  produce(bootstrap: string, topic: string, codec: CodecName): Command;
  /** Undefined for a start that it does not offer. */
  consume(bootstrap: string, topic: string, start: Start): Command | undefined;
}

/** What a client is made with is not on this machine. */
export class MissingToolchain extends Error {
  override readonly name = "MissingToolchain";
}

/** Command lines of the programs in `programs/`, which all take the same arguments. */
export function ownProgram(command: Command): Pick<ClientProgram, "createTopic" | "produce" | "consume"> {
  return {
    createTopic: (bootstrap, topic) => [...command, "create", bootstrap, topic],
    produce: (bootstrap, topic, codec) => [...command, "produce", bootstrap, topic, codec],
    consume: (bootstrap, topic, start) => [...command, "consume", bootstrap, topic, ...startArguments(start)],
  };
}

function startArguments(start: Start): string[] {
  switch (start.from) {
    case "beginning":
      return ["beginning"];
    case "timestamp":
      return ["timestamp", String(start.timestamp)];
    case "group":
      return ["group", start.group];
  }
}
