import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";

const ATTEMPTS = 20;

/** Listens on that many consecutive ports: one for bootstrapping, then one for each node id from 0 on. */
export async function listenInARow(count: number): Promise<{ ports: Server[]; basePort: number }> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const first = createServer().listen(0, "127.0.0.1");
    await once(first, "listening");
    const basePort = (first.address() as AddressInfo).port;
    const others = Array.from({ length: count - 1 }, (_, index) => listenOn(basePort + 1 + index));
    const ports = [first, ...(await Promise.all(others))];
    if (ports.every((port) => port?.listening === true)) return { ports: ports as Server[], basePort };
    for (const port of ports) port?.close();
  }
  throw new Error(`no ${count} consecutive ports are free on 127.0.0.1`);
}

async function listenOn(port: number): Promise<Server | undefined> {
  const server = createServer();
  const failed = once(server, "error").catch(() => {});
  server.listen(port, "127.0.0.1");
  await Promise.race([once(server, "listening").catch(() => {}), failed]);
  return server.listening ? server : undefined;
}

/** The first of that many consecutive ports, which were free a moment ago. */
export async function freePorts(count: number): Promise<number> {
  const { ports, basePort } = await listenInARow(count);
  await Promise.all(ports.map((port) => new Promise((resolve) => port.close(resolve))));
  return basePort;
}
