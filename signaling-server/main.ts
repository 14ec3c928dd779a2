import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { help, OptionError, parseOptions } from "./options.ts";
import { lineLog } from "./server-log.ts";
import { startServer } from "./server.ts";

/** Listens until SIGINT or SIGTERM; a second signal ends the process at once. */
async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), process.env);
  if (options === "help") return void process.stdout.write(help);
  const version = packageVersion();
  if (options === "version") return void process.stdout.write(`${version}\n`);
  process.stdout.on("error", survive);
  const log = lineLog((line) => process.stdout.write(line), options.logLevel);
  const server = await startServer({ ...options, log });
  // Pages of 127.0.0.1 and of localhost do not share their storage, so only one name is made known.
  process.stdout.write(`Tabstream is at ${server.url.replace("//127.0.0.1:", "//localhost:")}\n`);
  if (options.kafka !== undefined) {
    const { advertisedHost, port, cluster } = options.kafka;
    process.stdout.write(`Kafka clients reach the cluster ${cluster} at ${advertisedHost}:${port}\n`);
  }
  log("info", "started", { version, node: process.version, dataDir: resolve(options.dataDir) });
  const stop = async (signal: string) => {
    process.off("SIGINT", stop).off("SIGTERM", stop);
    log("info", "stopping", { signal });
    await server.close();
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return version;
}

/** What cannot be logged is lost: a server whose disk is full of logs has better to do than to end. */
function survive(error: NodeJS.ErrnoException): void {
  // Whoever read the log is gone, and it was probably they who started the server.
  if (error.code === "EPIPE") throw error;
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${message}\n${error instanceof OptionError ? "See --help.\n" : ""}`);
  process.exitCode = error instanceof OptionError ? 2 : 1;
});
