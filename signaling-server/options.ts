import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import type { LogLevel } from "../src/runtime/broker-platform.ts";
import { CLUSTER_NAME } from "../src/runtime/signaling.ts";
import { isOrigin } from "./access.ts";
import type { KafkaListenerOptions } from "./kafka-listener.ts";

/** What the command line and the environment say. Flags win. */
export interface CommandOptions {
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  readonly staticRoot: string;
  readonly origins: readonly string[];
  readonly minControllerEpoch: number;
  readonly logLevel: LogLevel;
  /** Undefined without a Kafka port. */
  readonly kafka: KafkaListenerOptions | undefined;
}

/** What the command is to do: to serve with these options, or to print something. */
export type Command = CommandOptions | "help" | "version";

export const help = `Tabstream's metadata server: introduces tabs to each other, keeps their clusters' metadata, serves the demo.

  flag                   variable
  --port NUMBER          PORT         to listen on (8080)
  --host ADDRESS         HOST         to listen on (127.0.0.1)
  --data-dir FOLDER      DATA_DIR     where metadata is kept (./data)
  --static-root FOLDER   STATIC_ROOT  pages to serve (dist/demo)
  --origin ORIGIN        ORIGINS      lets pages of this origin in too; repeat the flag, or put commas into ORIGINS
  --kafka-port NUMBER    KAFKA_PORT   lets Kafka clients in: this is their bootstrap port, and broker n listens on the
                                      port NUMBER + 1 + n (off)
  --kafka-host ADDRESS   KAFKA_HOST   to listen on for them (127.0.0.1)
  --kafka-advertised-host NAME        KAFKA_ADVERTISED_HOST; by which they reach this machine (that address)
  --kafka-cluster NAME   KAFKA_CLUSTER  whose brokers they talk to (tabstream)
  --log-level LEVEL      LOG_LEVEL    debug, info, warn or error (info)
  --min-controller-epoch NUMBER       after metadata was restored from a backup which lacks nothing but restarts of
                                      the server: a number above every controller epoch that brokers have seen. Brokers
                                      that have seen decisions which it lacks keep their storage, and wait
  --version                           prints the version
  --help                              prints this
`;

/** Thrown for options that make no sense; the message tells the user. */
export class OptionError extends Error {
  override readonly name = "OptionError";
}

const demoPages = fileURLToPath(new URL("../dist/demo", import.meta.url));
/** Each opening of a cluster takes the next epoch, and those of the protocol end at 2^31 - 1. */
const MAX_FIRST_EPOCH = 2 ** 30;
const logLevels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

export function parseOptions(args: readonly string[], environment: NodeJS.ProcessEnv): Command {
  const flags = parseFlags(args);
  if (flags.help === true) return "help";
  if (flags.version === true) return "version";
  // An empty variable is an unset one. As an address to listen on, nothing would mean every network there is.
  const env = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const origins = flags.origin ?? env["ORIGINS"]?.split(/[\s,]+/).filter((origin) => origin !== "") ?? [];
  const wrongOrigin = origins.find((origin) => !isOrigin(origin));
  if (wrongOrigin !== undefined) {
    throw new OptionError(`${wrongOrigin} is no origin; one looks like https://app.example or http://localhost:5173`);
  }
  const logLevel = flags["log-level"] ?? env["LOG_LEVEL"] ?? "info";
  const knownLevel = logLevels.find((level) => level === logLevel);
  if (knownLevel === undefined) throw new OptionError(`${logLevel} is no log level; they are ${logLevels.join(", ")}`);
  return {
    port: integer("port", flags.port ?? env["PORT"] ?? "8080", 65_535),
    host: address("host", flags.host ?? env["HOST"] ?? "127.0.0.1"),
    dataDir: flags["data-dir"] ?? env["DATA_DIR"] ?? "data",
    staticRoot: flags["static-root"] ?? env["STATIC_ROOT"] ?? demoPages,
    origins,
    minControllerEpoch: integer("min-controller-epoch", flags["min-controller-epoch"] ?? "0", MAX_FIRST_EPOCH),
    logLevel: knownLevel,
    kafka: kafkaOptions(flags, env),
  };
}

function kafkaOptions(flags: ReturnType<typeof parseFlags>, env: NodeJS.ProcessEnv): KafkaListenerOptions | undefined {
  const text = flags["kafka-port"] ?? env["KAFKA_PORT"];
  if (text === undefined) return undefined;
  const port = integer("kafka-port", text, 65_000);
  if (port === 0) throw new OptionError("kafka-port is 0, but the ports of the brokers follow from it: choose one");
  const host = address("kafka-host", flags["kafka-host"] ?? env["KAFKA_HOST"] ?? "127.0.0.1");
  const advertisedHost = flags["kafka-advertised-host"] ?? env["KAFKA_ADVERTISED_HOST"] ?? host;
  if (["0.0.0.0", "::", ""].includes(advertisedHost)) {
    throw new OptionError(
      `clients cannot dial ${advertisedHost}: name this machine as they know it, with --kafka-advertised-host`,
    );
  }
  const cluster = flags["kafka-cluster"] ?? env["KAFKA_CLUSTER"] ?? DEFAULT_CLUSTER;
  if (!CLUSTER_NAME.test(cluster)) {
    throw new OptionError(
      `kafka-cluster is ${cluster}, where 1 to 64 letters, digits, dots, underscores or hyphens are due`,
    );
  }
  return { port, host, advertisedHost, cluster };
}

/** The one that pages join which name none. */
const DEFAULT_CLUSTER = "tabstream";

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: "string" },
        host: { type: "string" },
        "data-dir": { type: "string" },
        "static-root": { type: "string" },
        origin: { type: "string", multiple: true },
        "log-level": { type: "string" },
        "min-controller-epoch": { type: "string" },
        "kafka-port": { type: "string" },
        "kafka-host": { type: "string" },
        "kafka-advertised-host": { type: "string" },
        "kafka-cluster": { type: "string" },
        version: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message : String(error));
  }
}

function address(name: string, text: string): string {
  if (text !== "") return text;
  throw new OptionError(`${name} is empty; name an address, such as 127.0.0.1, or 0.0.0.0 for every network`);
}

function integer(name: string, text: string, largest: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= largest) return value;
  throw new OptionError(`${name} is ${text}, where a whole number from 0 to ${largest} is due`);
}
