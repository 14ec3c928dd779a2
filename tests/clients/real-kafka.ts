import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { makeTemporaryFolder, removeTemporaryFolder } from "../cluster/temporary-folder.ts";
import type { Command } from "./client-program.ts";
import { freePorts } from "./consecutive-ports.ts";
import { KafkaSocket } from "./kafka-socket.ts";
import { RunningProgram, run } from "./running-program.ts";

const START_TIMEOUT_MS = 90_000;

/** A broker of Apache Kafka, which is its own controller, on loopback and with a temporary folder. */
export class RealKafka {
  readonly bootstrap: string;
  readonly #program: RunningProgram;
  readonly #folder: string;

  private constructor(bootstrap: string, program: RunningProgram, folder: string) {
    this.bootstrap = bootstrap;
    this.#program = program;
    this.#folder = folder;
  }

  /** `java` is what `installJava` gives. */
  static async start(java: Command): Promise<RealKafka> {
    const folder = await makeTemporaryFolder("kafka");
    const port = await freePorts(2);
    const settingsFile = join(folder, "server.properties");
    await writeFile(settingsFile, serverProperties(port, port + 1, folder));
    await run([...java, "kafka.tools.StorageTool", "format", "-t", "tabstreamtabstreamtab", "-c", settingsFile]);
    const kafka = new RealKafka(
      `127.0.0.1:${port}`,
      new RunningProgram([...java.slice(0, 1), "-Xmx768m", ...java.slice(1), "kafka.Kafka", settingsFile]),
      folder,
    );
    try {
      await kafka.#untilServing();
    } catch (error) {
      await kafka.close();
      throw error;
    }
    return kafka;
  }

  async close(): Promise<void> {
    await this.#program.kill();
    await removeTemporaryFolder(this.#folder);
  }

  async #untilServing(): Promise<void> {
    for (const endMs = Date.now() + START_TIMEOUT_MS; ; await sleep(200)) {
      this.#program.expectRunning();
      try {
        const socket = await KafkaSocket.connect(this.bootstrap);
        const { brokers } = await socket.ask(metadata, 9, { topics: [] });
        socket.close();
        if (brokers.length === 1) return;
      } catch (error) {
        if (Date.now() > endMs) throw error;
      }
    }
  }
}

function serverProperties(port: number, controllerPort: number, folder: string): string {
  const settings = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "log.dirs": join(folder, "logs"),
    // A tab is in the rack of its browser profile.
    "broker.rack": "here",
    "offsets.topic.num.partitions": 8,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
  };
  return Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join("");
}
