import { join } from "node:path";
import { MissingToolchain, ownProgram } from "./client-program.ts";
import type { ClientProgram } from "./client-program.ts";
import { run } from "./running-program.ts";
import { toolchainFolder } from "./toolchain-folder.ts";

async function installPython(): Promise<string> {
  return await toolchainFolder("python", async (cwd) => {
    try {
      await run(["python3", "-m", "venv", "venv"], { cwd });
      await run(["venv/bin/pip", "install", "--quiet", "-r", "requirements.txt"], { cwd });
    } catch (error) {
      throw new MissingToolchain("no Python 3 with venv and pip", { cause: error });
    }
  });
}

function pythonClient(name: string, script: string, idempotent: boolean): ClientProgram {
  const program: string[] = [];
  return {
    name,
    codecs: ["none", "gzip", "snappy", "lz4", "zstd"],
    idempotent,
    async install() {
      const folder = await installPython();
      program.splice(0, 2, join(folder, "venv/bin/python"), join(folder, script));
    },
    ...ownProgram(program),
  };
}

/** Written in Python from the socket up. */
export const kafkaPython = pythonClient("kafka-python", "kafka_python.py", true);
/** The newest librdkafka. */
export const confluentKafka = pythonClient("confluent-kafka", "confluent_kafka_python.py", true);
