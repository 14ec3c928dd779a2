import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/** The repository's own rules, which no compiler knows. Each test lists the offenders, so that a failure names them. */

const root = fileURLToPath(new URL("..", import.meta.url));

interface SourceFile {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** The text with comments blanked, so that words of people are not taken for code. */
  readonly code: string;
  readonly imports: readonly Import[];
  /** Workers and scripts that the file starts, or has a page start; they are entry points of their own. */
  readonly starts: readonly Import[];
}

interface Import {
  readonly specifier: string;
  /** From the root; undefined for a package. */
  readonly path: string | undefined;
}

function filesIn(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

function read(path: string): SourceFile {
  const text = readFileSync(join(root, path), "utf8");
  const code = text.replace(/\/\*[^]*?\*\/|(?<![:"'`\\])\/\/[^\n]*/g, (comment) => comment.replace(/[^\n]/g, " "));
  const named = (pattern: RegExp, within: string): Import[] =>
    [...within.matchAll(pattern)].map(([, specifier = ""]) => ({ specifier, path: resolveImport(path, specifier) }));
  return {
    path,
    text,
    code,
    imports: named(/(?:\bfrom|^\s*import|\bimport\()\s*"([^"]+)"/gm, code),
    starts: [
      ...named(/new URL\("(\.[^"]+\.ts)", import\.meta\.url\)/g, code),
      ...named(/<script[^>]*\ssrc="([^"]+)"/g, path.endsWith(".html") ? text : ""),
    ],
  };
}

/** Vite's suffixes, such as `?worker`, are no part of the file name. */
function resolveImport(from: string, specifier: string): string | undefined {
  if (!/^\.{0,2}\//.test(specifier)) return undefined;
  const file = specifier.replace(/[?#].*$/, "");
  return relative(root, file.startsWith("/") ? join(root, dirname(from), file) : resolve(root, dirname(from), file));
}

const source = [...filesIn("src", /\.(ts|html)$/), ...filesIn("signaling-server", /\.ts$/)].map(read);
const tests = filesIn("tests", /\.(ts|html)$/).map(read);
const everything = [...source, ...tests];

describe("who may import whom", () => {
  const core = ["protocol", "log", "replication", "coordinator", "metadata", "broker"];
  /** Each folder may import itself and these. Entry points, at the top of `src`, may import anything in it. */
  const allowed: Record<string, readonly string[]> = {
    "src/protocol": [],
    "src/log": ["src/protocol"],
    "src/replication": ["src/protocol", "src/log"],
    "src/coordinator": ["src/protocol", "src/log"],
    "src/metadata": ["src/protocol", "src/log"],
    "src/broker": core.map((folder) => `src/${folder}`),
    "src/runtime": core.map((folder) => `src/${folder}`),
    "src/client": ["src/protocol", "src/metadata", "src/runtime"],
    "src/platform": [...core.map((folder) => `src/${folder}`), "src/runtime"],
    "src/inspector": ["src/index.ts"],
    // The page that shows simulated runs; the one place in src that may import the tests' rig.
    "src/demo/simulation": [
      "src/demo", "src/inspector", "src/log", "src/metadata", "src/platform/simulated", "tests/simulation",
    ],
    "src/demo": ["src/index.ts", "src/inspector"],
    "signaling-server": ["src/protocol", "src/log", "src/metadata", "src/runtime", "src/platform/node"],
  };
  const folderOf = (path: string) => Object.keys(allowed).find((folder) => path.startsWith(`${folder}/`));
  const mayImport = (from: string, to: string) => {
    const folder = folderOf(from);
    if (folder === undefined) return to.startsWith("src/");
    return [folder, ...(allowed[folder] ?? [])].some((target) => to === target || to.startsWith(`${target}/`));
  };
  const arrows = source.flatMap(({ path, imports }) => imports.map((imported) => ({ from: path, ...imported })));

  test("imports follow the arrows of src/ARCHITECTURE.md", () => {
    const wrong = arrows.filter(({ from, path }) => path !== undefined && !mayImport(from, path));
    expect(wrong.map(({ from, path }) => `${from} imports ${path}`)).toEqual([]);
  });

  test("the client knows the runtime's interfaces, not its loops", () => {
    const wrong = arrows.filter(({ from, path }) => from.startsWith("src/client/") && /runtime\/run-/.test(path ?? ""));
    expect(wrong.map(({ from, path }) => `${from} imports ${path}`)).toEqual([]);
  });

  test("only Node's own code imports Node's modules", () => {
    const home = /^(signaling-server|src\/platform\/node)\//;
    const wrong = arrows.filter(({ from, specifier }) => specifier.startsWith("node:") && !home.test(from));
    expect(wrong.map(({ from, specifier }) => `${from} imports ${specifier}`)).toEqual([]);
  });

  test("nothing that the simulation page reaches imports Node's modules", () => {
    const byPath = new Map(everything.map((file) => [file.path, file]));
    const reached = new Set<SourceFile>();
    const pending = [byPath.get("src/demo/simulation/main.ts")!];
    for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
      if (reached.has(file)) continue;
      reached.add(file);
      pending.push(...file.imports.flatMap(({ path }) => byPath.get(path ?? "") ?? []));
    }
    const wrong = [...reached].filter(({ imports }) => imports.some(({ specifier }) => specifier.startsWith("node:")));
    expect(wrong.map(({ path }) => path)).toEqual([]);
    expect([...reached].map(({ path }) => path)).toContain("tests/simulation/simulate.ts");
  });

  test("every relative import names a file", () => {
    const wrong = everything.flatMap(({ path, imports, starts }) =>
      [...imports, ...starts]
        .filter((to) => to.path !== undefined && !existsSync(join(root, to.path)))
        .map((to) => ({ path, to })),
    );
    expect(wrong.map(({ path, to }) => `${path} imports ${to.specifier}`)).toEqual([]);
  });
});

describe("the core is pure", () => {
  const core = source.filter(({ path }) =>
    /^src\/(protocol(?!\/compression\/)|log|replication|coordinator|metadata|broker)\//.test(path),
  );
  const impure = [
    /\bDate\b/, /\bMath\.random\b/, /\b(async|await|Promise)\b/, /\b(setTimeout|setInterval|queueMicrotask)\b/,
    /\bconsole\s*\./, /\bperformance\s*\./, /\bcrypto\s*\./, /\bglobalThis\b/, /\bindexedDB\b/, /\bprocess\./,
  ];
  const withoutStrings = (code: string) => code.replace(/"(?:[^"\\\n]|\\.)*"/g, '""');

  test("it has files to be checked", () => expect(core.length).toBeGreaterThan(20));

  test.each(impure.map((pattern) => [pattern.source, pattern] as const))("no %s", (_, pattern) => {
    expect(core.filter(({ code }) => pattern.test(withoutStrings(code))).map(({ path }) => path)).toEqual([]);
  });

  test("no package is imported", () => {
    const wrong = core.flatMap(({ path, imports }) =>
      imports.filter((imported) => imported.path === undefined).map(({ specifier }) => `${path} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe("files", () => {
  test("each is reached from an entry point", () => {
    const isEntry = ({ path }: SourceFile) =>
      /^src\/(index|[a-z-]+\.worker)\.ts$|\.html$|\/main\.ts$|\.(test|spec)\.ts$|\/[a-z]+\.config\.ts$/.test(path);
    const byPath = new Map(everything.map((file) => [file.path, file]));
    const reached = new Set<string>();
    const pending = everything.filter(isEntry);
    for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
      if (reached.has(file.path)) continue;
      reached.add(file.path);
      pending.push(...[...file.imports, ...file.starts].flatMap(({ path }) => byPath.get(path ?? "") ?? []));
    }
    const unreached = everything.filter(({ path }) => !reached.has(path) && !path.endsWith(".d.ts"));
    expect(unreached.map(({ path }) => path)).toEqual([]);
  });

  test("each source file is reached without the tests", () => {
    const imported = new Set(source.flatMap(({ imports, starts }) => [...imports, ...starts].map(({ path }) => path)));
    const isEntry = (path: string) =>
      /^src\/index\.ts$|\.html$|\.d\.ts$|\/main\.ts$|^src\/platform\/simulated\//.test(path);
    expect(source.map(({ path }) => path).filter((path) => !imported.has(path) && !isEntry(path))).toEqual([]);
  });

  test("each is named after its idea, in kebab-case", () => {
    const wrong = everything.map(({ path }) => path).filter((path) => {
      const name = basename(path);
      if (name === "index.ts") return path !== "src/index.ts";
      if (/(^|-)(utils?|helpers?|managers?|impl|base|misc|common)[.-]/.test(name)) return true;
      return !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*\.(ts|html)$/.test(name);
    });
    expect(wrong).toEqual([]);
  });

  test("only src/index.ts re-exports, and by name", () => {
    expect(everything.filter(({ code }) => /^export \*/m.test(code)).map(({ path }) => path)).toEqual([]);
    const reexporting = everything.filter(({ code }) => /^export (type )?\{[^}]*\} from /m.test(code));
    expect(reexporting.map(({ path }) => path).filter((path) => path !== "src/index.ts")).toEqual([]);
  });
});

test("every rule of src/replication/SPEC.md is named by a test", () => {
  const rules = new Set(readFileSync(join(root, "src/replication/SPEC.md"), "utf8").match(/\bR\d+\b/g));
  const titles = tests.flatMap(({ path, text }) => (path.endsWith(".test.ts") ? (text.match(/\[R\d+\]/g) ?? []) : []));
  expect(rules.size).toBeGreaterThan(15);
  expect([...rules].filter((rule) => !titles.includes(`[${rule}]`))).toEqual([]);
});
