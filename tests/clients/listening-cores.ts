import type { Server, Socket } from "node:net";
import type { BrokerConfig } from "../../src/broker/broker-config.ts";
import { KAFKA_LISTENER } from "../../src/metadata/listener-names.ts";
import { FrameDecoder } from "../../src/protocol/frame.ts";
import { LiveCluster, pause } from "../client/live-cluster.ts";
import type { LiveBroker } from "../client/live-cluster.ts";
import { MemoryConnection } from "../client/memory-connection.ts";
import { encodeFrame } from "../protocol/encode-frame.ts";
import { listenInARow } from "./consecutive-ports.ts";
import type { KafkaCluster } from "./kafka-cluster.ts";

/**
 * The cores of brokers and controller in this process, behind a TCP port each: what Kafka clients make of our protocol
 * shows here within seconds, without browsers.
 */
export class ListeningCores implements KafkaCluster {
  readonly name = "broker cores in one process";
  readonly #cluster: LiveCluster;
  readonly #ports: readonly Server[];
  readonly #basePort: number;

  private constructor(ports: readonly Server[], basePort: number, config: Partial<BrokerConfig>) {
    this.#ports = ports;
    this.#basePort = basePort;
    this.#cluster = new LiveCluster(config, { kafkaListener: { host: "127.0.0.1", basePort } });
    ports.forEach((port, index) =>
      port.on("connection", (socket: Socket) => {
        const broker = index === 0 ? this.#anyBroker() : this.#broker(index - 1);
        if (broker?.alive === true) splice(socket, broker);
        else socket.destroy();
      }),
    );
  }

  static async start(count: number, config: Partial<BrokerConfig> = {}): Promise<ListeningCores> {
    const { ports, basePort } = await listenInARow(count + 2);
    const cores = new ListeningCores(ports, basePort, config);
    await cores.#cluster.start(count);
    return cores;
  }

  get bootstrap(): string {
    return `127.0.0.1:${this.#basePort}`;
  }

  async kill(nodeId: number): Promise<void> {
    this.#broker(nodeId)?.kill();
  }

  async revive(): Promise<void> {
    const dead = this.#cluster.brokers.filter(({ alive }) => !alive);
    for (const broker of dead) broker.revive();
    while (dead.some(({ running }) => running.status().state !== "running")) await pause(10);
  }

  async close(): Promise<void> {
    for (const port of this.#ports) port.close();
    await this.#cluster.stop();
  }

  #anyBroker(): LiveBroker | undefined {
    return this.#cluster.brokers.find(({ alive }) => alive);
  }

  #broker(nodeId: number): LiveBroker | undefined {
    return this.#cluster.brokers.find(({ running }) => running.status().brokerId === nodeId);
  }
}

function splice(socket: Socket, broker: LiveBroker): void {
  const [near, far] = MemoryConnection.pair();
  far.remoteAddress = socket.remoteAddress;
  const frames = new FrameDecoder();
  socket.setNoDelay(true);
  near.receive({ frame: (frame) => void socket.write(encodeFrame(frame)), closed: () => socket.destroy() });
  socket.on("data", (chunk: Buffer) => {
    try {
      // A copy, which is no Buffer: the slices of those are views.
      for (const frame of frames.push(new Uint8Array(chunk))) near.send(frame);
    } catch (error) {
      near.close(String(error));
    }
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () => near.close("the client closed"));
  broker.accept(far, KAFKA_LISTENER);
}
