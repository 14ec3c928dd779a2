import { parseArgs } from "node:util";

export interface ClusterArguments {
  readonly tabs: number;
  readonly port: number;
  /** Undefined for no Kafka listener. */
  readonly kafkaPort: number | undefined;
  readonly oneProfile: boolean;
  readonly dataDir: string | undefined;
}

/** Thrown when the command line asks for what does not exist; the message is for the user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE =
  "usage: npm run cluster -- [--tabs N] [--port PORT] [--kafka-port PORT] [--one-profile] [--data-dir DIR]\n" +
  "  --tabs N         broker tabs to open, 1 to 16 (3)\n" +
  "  --port PORT      HTTP port of the server (8080)\n" +
  "  --kafka-port P   bootstrap port for Kafka clients; broker n listens on P + 1 + n (none)\n" +
  "  --one-profile    open all tabs in one browser profile, so that they share a disk\n" +
  "  --data-dir DIR   keep the server's data and the profiles in DIR; otherwise they are temporary";

const MOST_TABS = 16;

export function parseClusterArguments(args: readonly string[]): ClusterArguments {
  const values = parse(args);
  const kafkaPort = values["kafka-port"];
  return {
    tabs: integer("--tabs", values.tabs ?? "3", 1, MOST_TABS),
    port: integer("--port", values.port ?? "8080", 1, 65_535),
    kafkaPort: kafkaPort === undefined ? undefined : integer("--kafka-port", kafkaPort, 1, 65_000),
    oneProfile: values["one-profile"] ?? false,
    dataDir: values["data-dir"],
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        tabs: { type: "string" },
        port: { type: "string" },
        "kafka-port": { type: "string" },
        "one-profile": { type: "boolean" },
        "data-dir": { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function integer(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`${flag} ${text}: give a whole number from ${least} to ${most}`);
}
