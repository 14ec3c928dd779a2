import { fileURLToPath } from "node:url";
import { ownProgram } from "./client-program.ts";
import type { ClientProgram } from "./client-program.ts";

const program = fileURLToPath(new URL("programs/kafkajs/main.ts", import.meta.url));

export const kafkajs: ClientProgram = {
  name: "KafkaJS",
  codecs: ["none", "gzip", "snappy", "lz4", "zstd"],
  idempotent: false,
  async install() {},
  ...ownProgram([process.execPath, "--import", "tsx", program]),
};
