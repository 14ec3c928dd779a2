import { join } from "node:path";
import { MissingToolchain, ownProgram } from "./client-program.ts";
import type { ClientProgram } from "./client-program.ts";
import { run } from "./running-program.ts";
import { toolchainFolder } from "./toolchain-folder.ts";

const program: string[] = [];

export const franzGo: ClientProgram = {
  name: "franz-go",
  codecs: ["none", "gzip", "snappy", "lz4", "zstd"],
  idempotent: true,
  async install() {
    const folder = await toolchainFolder("franz-go", async (cwd) => {
      await run(["go", "version"]).catch(() => {
        throw new MissingToolchain("no Go");
      });
      await run(["go", "build", "-o", "client", "."], { cwd });
    });
    program[0] = join(folder, "client");
  },
  ...ownProgram(program),
};
