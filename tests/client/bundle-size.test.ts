import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import type { Rolldown } from "vite";
import { expect, test } from "vitest";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Gzipped, with all that is loaded before anything is asked of the SDK. */
const MAX_BYTES = 45_000;

/** A page that imports the SDK's `Kafka`, as a bundler makes it. */
const page = "page.ts";
const source = `import { Kafka } from ${JSON.stringify(at("../../src/index.ts"))}; globalThis.Kafka = Kafka;`;

test(`a page with the SDK that is no broker loads at most ${MAX_BYTES} bytes`, { timeout: 60_000 }, async () => {
  const { output } = (await build({
    configFile: false,
    root: at("../.."),
    logLevel: "error",
    build: { write: false, target: "es2022", modulePreload: false, rolldownOptions: { input: page } },
    worker: { format: "es" },
    plugins: [
      {
        name: "page",
        resolveId: (id) => (id.endsWith(page) ? page : null),
        load: (id) => (id === page ? source : null),
      },
    ],
  })) as Rolldown.RolldownOutput;
  const chunks = output.filter((one) => one.type === "chunk");
  const loaded = withImports(chunks, chunks.find(({ isEntry }) => isEntry)!);
  const sizes = loaded.map(({ code }) => gzipSync(code).length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(MAX_BYTES);
  const modules = loaded.flatMap(({ moduleIds }) => moduleIds).join("\n");
  // What the figure stands for: the metadata and the clients are in it, and what only some pages need is not.
  expect(modules).toMatch(/src\/metadata\/metadata-follower\.ts/);
  expect(modules).toMatch(/src\/client\/producer\.ts/);
  expect(modules).not.toMatch(/simplepeer|fflate|zstd|src\/broker\/|src\/client\/group\//);
});

function withImports(chunks: readonly Rolldown.OutputChunk[], entry: Rolldown.OutputChunk): Rolldown.OutputChunk[] {
  const found = new Set([entry]);
  for (const { imports } of found) {
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) found.add(chunk);
  }
  return [...found];
}
