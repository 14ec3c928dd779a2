import { join } from "node:path";
import { MissingToolchain, ownProgram } from "./client-program.ts";
import type { ClientProgram } from "./client-program.ts";
import { run } from "./running-program.ts";
import { toolchainFolder } from "./toolchain-folder.ts";

const program: string[] = [process.execPath];

/** Node 20, which it says is too old for it, has no zstd. */
export const platformatic: ClientProgram = {
  name: "@platformatic/kafka",
  codecs: ["none", "gzip", "snappy", "lz4", ...("zstd" in process.versions ? (["zstd"] as const) : [])],
  idempotent: false,
  async install() {
    const folder = await toolchainFolder("platformatic", async (cwd) => {
      const flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--silent"];
      await run(["npm", "install", ...flags], { cwd }).catch((error: unknown) => {
        throw new MissingToolchain(`npm cannot install @platformatic/kafka: ${String(error)}`);
      });
    });
    program[1] = join(folder, "main.mjs");
  },
  ...ownProgram(program),
};
