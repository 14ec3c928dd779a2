import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MissingToolchain, ownProgram } from "./client-program.ts";
import type { ClientProgram, Command, Start } from "./client-program.ts";
import { run } from "./running-program.ts";
import { toolchainFolder } from "./toolchain-folder.ts";

const CLASS_PATH = "class-path.txt";

/** The command that starts Java with everything of Apache Kafka at hand, which Maven brings on first use. */
export async function installJava(): Promise<Command> {
  const folder = await toolchainFolder("java", async (cwd) => {
    await Promise.all([["javac", "-version"], ["mvn", "--version"]].map((command) => run(command))).catch(() => {
      throw new MissingToolchain("no Java with its compiler, or no Maven");
    });
    await run(["mvn", "-q", "-B", "dependency:build-classpath", `-Dmdep.outputFile=${CLASS_PATH}`], { cwd });
    await run(["javac", "-cp", readFileSync(join(cwd, CLASS_PATH), "utf8"), "-d", ".", "Client.java"], { cwd });
  });
  const classPath = `${readFileSync(join(folder, CLASS_PATH), "utf8")}:${folder}`;
  // Most of these programs live for seconds: a compiler that optimizes would cost more than it brings.
  const quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"];
  return ["java", ...quick, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classPath];
}

const java: string[] = [];
const program: string[] = [];
const codecs = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

/** The producer, consumer and admin client of Apache Kafka. */
export const javaClients: ClientProgram = {
  name: "Java clients",
  codecs,
  idempotent: true,
  async install() {
    program.splice(0, program.length, ...(await installJava()), "Client");
  },
  ...ownProgram(program),
};

const SEPARATOR = ["parse.key=true", "key.separator=\t"];

/** kafka-topics, kafka-console-producer and kafka-console-consumer. */
export const consoleTools: ClientProgram = {
  name: "Java console tools",
  codecs,
  idempotent: true,
  async install() {
    java.splice(0, java.length, ...(await installJava()));
  },
  createTopic: (bootstrap, topic) => {
    const shape = ["--partitions", "3", "--replication-factor", "3"];
    const tool = "org.apache.kafka.tools.TopicCommand";
    return [...java, tool, "--bootstrap-server", bootstrap, "--create", "--topic", topic, ...shape];
  },
  produce: (bootstrap, topic, codec) => {
    const tool = "org.apache.kafka.tools.ConsoleProducer";
    const properties = SEPARATOR.flatMap((property) => ["--reader-property", property]);
    const target = ["--bootstrap-server", bootstrap, "--topic", topic];
    return [...java, tool, ...target, "--compression-codec", codec, ...properties];
  },
  consume: (bootstrap, topic, start: Start) => {
    if (start.from === "timestamp") return undefined;
    const tool = "org.apache.kafka.tools.consumer.ConsoleConsumer";
    const group = start.from === "group" ? ["--group", start.group] : [];
    const keys = ["--formatter-property", "print.key=true"];
    return [...java, tool, "--bootstrap-server", bootstrap, "--topic", topic, "--from-beginning", ...group, ...keys];
  },
};
