import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, relative, sep } from "node:path";

interface StaticFile {
  readonly bytes: Buffer;
  readonly type: string;
  readonly etag: string;
  readonly cacheControl: string;
}

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".csv": "text/csv; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
};

/** Vite puts a hash of the content into the names of these. */
const HASHED_NAME = /^\/assets\/.+-[\w-]{8}\.\w+$/;

const NOT_BUILT = "The demo has not been built. Run `npm run build`, then start the server again.\n";

/**
 * The built pages, held in memory: they are small and change only by a build. A request can name nothing but what was
 * there at the start, so no path of it ever reaches the file system.
 */
export class StaticFiles {
  readonly #files: ReadonlyMap<string, StaticFile>;

  constructor(root: string) {
    const named = (path: string) => `/${relative(root, path).split(sep).join("/")}`;
    this.#files = new Map(filesBelow(root).map((path) => [named(path), readStaticFile(named(path), path)]));
  }

  get isEmpty(): boolean {
    return this.#files.size === 0;
  }

  /** Answers GET and HEAD. `path` is the request's, without its query. */
  answer(request: IncomingMessage, response: ServerResponse, path: string): void {
    const file = this.#files.get(path.endsWith("/") ? `${path}index.html` : path);
    if (file === undefined) {
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8" });
      response.end(path === "/" ? NOT_BUILT : "Not found\n");
      return;
    }
    const { bytes, type, etag, cacheControl } = file;
    response.setHeader("etag", etag);
    response.setHeader("cache-control", cacheControl);
    if (request.headers["if-none-match"]?.split(/\s*,\s*/).some((known) => known.replace(/^W\//, "") === etag)) {
      response.writeHead(304).end();
      return;
    }
    response.writeHead(200, { "content-type": type, "content-length": bytes.length });
    response.end(request.method === "HEAD" ? undefined : bytes);
  }
}

/** Links are not followed. */
function filesBelow(root: string): string[] {
  try {
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function readStaticFile(name: string, path: string): StaticFile {
  const bytes = readFileSync(path);
  return {
    bytes,
    type: contentTypes[extname(name)] ?? "application/octet-stream",
    etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
    cacheControl: HASHED_NAME.test(name) ? "public, max-age=31536000, immutable" : "no-cache",
  };
}
