import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import { startServer } from "../../signaling-server/server.ts";
import type { RunningServer, ServerOptions } from "../../signaling-server/server.ts";

// Real sockets, disks and processes, on a machine that may do much else meanwhile.
vi.setConfig({ testTimeout: 20_000, expect: { poll: { timeout: 5_000, interval: 10 } } });

export interface TestServer extends RunningServer {
  readonly dataDir: string;
  /** What was logged, as `level message field=value`. */
  readonly lines: readonly string[];
}

/** A folder that goes away with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tabstream-signaling-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A server on a free port with a data directory of its own, stopped at the end of the test. */
export async function testServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? (await temporaryFolder());
  const lines: string[] = [];
  const server = await startServer({
    port: 0,
    host: "127.0.0.1",
    dataDir,
    staticRoot: join(dataDir, "no-pages"),
    log: (level, message, fields = {}) => {
      const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${value}`);
      lines.push(`${level} ${message}${pairs.join("")}`);
    },
    ...options,
  });
  onTestFinished(() => server.close());
  return { url: server.url, port: server.port, close: () => server.close(), dataDir, lines };
}
