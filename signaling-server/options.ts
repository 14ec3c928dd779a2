import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import type { LogLevel } from "../src/runtime/broker-platform.ts";
import { isOrigin } from "./access.ts";

/** What the command line and the environment say. Flags win. */
export interface CommandOptions {
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  readonly staticRoot: string;
  readonly origins: readonly string[];
  readonly minControllerEpoch: number;
  readonly logLevel: LogLevel;
}

export const help = `Tabstream's metadata server: introduces tabs to each other, keeps their clusters' metadata, serves the demo.

  flag                   variable
  --port NUMBER          PORT         to listen on (8080)
  --host ADDRESS         HOST         to listen on (127.0.0.1)
  --data-dir FOLDER      DATA_DIR     where metadata is kept (./data)
  --static-root FOLDER   STATIC_ROOT  pages to serve (dist/demo)
  --origin ORIGIN        ORIGINS      lets pages of this origin in too; repeat the flag, or put commas into ORIGINS
  --log-level LEVEL      LOG_LEVEL    debug, info, warn or error (info)
  --min-controller-epoch NUMBER       after metadata was restored from a backup: a number above every controller
                                      epoch that brokers have seen, so that they follow the restored metadata
  --help                              prints this
`;

/** Thrown for options that make no sense; the message tells the user. */
export class OptionError extends Error {
  override readonly name = "OptionError";
}

const demoPages = fileURLToPath(new URL("../dist/demo", import.meta.url));
const logLevels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

export function parseOptions(args: readonly string[], env: NodeJS.ProcessEnv): CommandOptions | "help" {
  const flags = parseFlags(args);
  if (flags.help === true) return "help";
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
    host: flags.host ?? env["HOST"] ?? "127.0.0.1",
    dataDir: flags["data-dir"] ?? env["DATA_DIR"] ?? "data",
    staticRoot: flags["static-root"] ?? env["STATIC_ROOT"] ?? demoPages,
    origins,
    minControllerEpoch: integer("min-controller-epoch", flags["min-controller-epoch"] ?? "0", 2 ** 31 - 1),
    logLevel: knownLevel,
  };
}

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
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message : String(error));
  }
}

function integer(name: string, text: string, largest: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= largest) return value;
  throw new OptionError(`${name} is ${text}, where a whole number from 0 to ${largest} is due`);
}
