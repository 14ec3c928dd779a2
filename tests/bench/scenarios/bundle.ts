import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import type { Recorder } from "../figure.ts";

const index = fileURLToPath(new URL("../../../src/index.ts", import.meta.url));

const LINKS_PACKAGE = "simple-peer";

/**
 * What a page loads that imports the SDK, and what it loads later if it asks for it. Sizes are gzipped, file by file;
 * the package that makes WebRTC links is counted apart, because a page may have it already.
 */
export async function bundle(recorder: Recorder): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "tabstream-bundle-"));
  try {
    const entry = join(folder, "entry.ts");
    await writeFile(entry, `import { Kafka } from ${JSON.stringify(index)};\nglobalThis.kafka = Kafka;\n`);
    const [own, whole] = [await built(entry, [LINKS_PACKAGE]), await built(entry, [])];
    const later = own.filter(({ fileName }) => !initialFiles(own).has(fileName));
    const worker = later.filter(({ fileName }) => fileName.includes("broker.worker"));
    const kb = { unit: "KB", better: "lower" } as const;
    recorder.figure({ ...kb, name: "SDK, gzipped", rounds: [initialKilobytes(own)] });
    recorder.figure({ ...kb, name: `SDK with ${LINKS_PACKAGE}, gzipped`, rounds: [initialKilobytes(whole)] });
    recorder.figure({ ...kb, name: "broker's worker, gzipped", rounds: [kilobytes(worker)] });
    for (const chunk of later) recorder.note(`on demand: ${chunk.fileName}, ${kilobytes([chunk]).toFixed(1)} KB`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Chunk {
  readonly fileName: string;
  readonly isEntry: boolean;
  /** Static imports only. */
  readonly imports: readonly string[];
  readonly gzipped: number;
}

async function built(entry: string, external: readonly string[]): Promise<Chunk[]> {
  const result = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      target: "es2022",
      minify: true,
      modulePreload: false,
      rolldownOptions: { input: [entry], external: external.map((name) => new RegExp(`/${name}/|^${name}`)) },
    },
    worker: { format: "es" },
  });
  const outputs = Array.isArray(result) ? result : [result];
  return outputs.flatMap((output) => ("output" in output ? output.output : [])).map((file) => {
    const content = file.type === "chunk" ? file.code : file.source;
    return {
      fileName: file.fileName,
      isEntry: file.type === "chunk" && file.isEntry,
      imports: file.type === "chunk" ? file.imports : [],
      gzipped: gzipSync(content).length,
    };
  });
}

function initialKilobytes(chunks: readonly Chunk[]): number {
  const initial = initialFiles(chunks);
  return kilobytes(chunks.filter(({ fileName }) => initial.has(fileName)));
}

/** The entry and all that it imports statically, directly or not. */
function initialFiles(chunks: readonly Chunk[]): ReadonlySet<string> {
  const reached = new Set(chunks.filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName));
  for (const fileName of reached) {
    for (const imported of chunks.find((chunk) => chunk.fileName === fileName)?.imports ?? []) reached.add(imported);
  }
  return reached;
}

function kilobytes(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { gzipped }) => sum + gzipped, 0) / 1000;
}
