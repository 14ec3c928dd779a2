import { createServer } from "node:net";
import type { Server } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { KafkaPorts } from "../../signaling-server/kafka-ports.ts";
import { freePorts, tryPort } from "./kafka-client.ts";
import "./test-server.ts";

function kafkaPorts(port: number) {
  const lines: string[] = [];
  const refused: string[] = [];
  const servers: Server[] = [];
  const ports = new KafkaPorts(
    { port, host: "127.0.0.1" },
    {
      metrics: { refused: (reason) => void refused.push(reason) },
      log: (level, message, { reason } = {}) => void lines.push(`${level} ${message}: ${reason}`),
      serverFor: () => servers[servers.push(createServer()) - 1]!,
    },
  );
  onTestFinished(() => ports.close());
  return { ports, refused, lines: (level: string) => lines.filter((line) => line.startsWith(level)), servers };
}

test("a port that somebody else has is told of once, and again when it is lost anew", async () => {
  const port = await freePorts();
  const { ports, lines, refused, servers } = kafkaPorts(port);
  const holder = await tryPort(port + 1);
  const tries = async (count: number) => {
    for (const goal = servers.length + count; servers.length < goal; await new Promise(setImmediate)) {
      ports.keepOpen(new Set([0]));
    }
  };
  await tries(3);
  expect(lines("warn")).toEqual([expect.stringMatching(/port: cannot listen on port \d+ .* in use; .*--kafka-port/)]);
  expect(refused).toEqual(["kafka-port"]);

  holder!.close();
  await expect.poll(() => {
    ports.keepOpen(new Set([0]));
    return lines("info");
  }).toHaveLength(1);
  ports.keepOpen(new Set());
  const again = await tryPort(port + 1);
  onTestFinished(() => void again!.close());
  await tries(3);
  expect(lines("warn")).toHaveLength(2);
});

test("a broker whose port would be beyond the last one is told of once", () => {
  const { ports, lines, servers } = kafkaPorts(65_534);
  ports.keepOpen(new Set([1]));
  ports.keepOpen(new Set([1]));
  expect(lines("warn")).toEqual([expect.stringMatching(/there is no port 65536; .*--kafka-port/)]);
  expect(servers).toEqual([]);
});
