import type { IncomingMessage, ServerResponse } from "node:http";
import type { Access } from "./access.ts";
import type { RefusalReport } from "./refusal-report.ts";
import { securityHeaders } from "./security-headers.ts";
import type { ServerLog } from "./server-log.ts";
import type { ServerMetrics } from "./server-metrics.ts";
import type { StaticFiles } from "./static-files.ts";

export interface HttpServices {
  readonly access: Access;
  readonly files: StaticFiles;
  readonly metrics: ServerMetrics;
  readonly refused: RefusalReport;
  readonly log: ServerLog;
  readonly health: () => Health;
}

export interface Health {
  readonly sockets: number;
  readonly clusters: number;
  readonly failedClusters: number;
}

const TEXT = "text/plain; charset=utf-8";

/** Answers requests that are no sockets: pages, `/healthz` and `/metrics`. */
export class HttpAnswers {
  readonly #services: HttpServices;
  readonly #startedMs = performance.now();

  constructor(services: HttpServices) {
    this.#services = services;
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const { access, files, refused } = this.#services;
    const refusal = access.refusal(request);
    if (refusal !== undefined) {
      refused("origin", refusal, request);
      return send(response, 403, TEXT, `${refusal}\n`);
    }
    for (const [name, value] of Object.entries(securityHeaders(request.headers.host ?? ""))) {
      response.setHeader(name, value);
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      response.setHeader("connection", "close");
      return send(response, 405, TEXT, "Only GET and HEAD are served here\n");
    }
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    if (path === "/healthz") return this.#sendHealth(response);
    if (path === "/metrics") return void this.#sendMetrics(response);
    files.answer(request, response, path);
  }

  #sendHealth(response: ServerResponse): void {
    const { sockets, clusters, failedClusters } = this.#services.health();
    const status = failedClusters === 0 ? "ok" : "degraded";
    const uptimeSeconds = Math.round((performance.now() - this.#startedMs) / 1000);
    const body = JSON.stringify({ status, uptimeSeconds, sockets, clusters, failedClusters });
    send(response, failedClusters === 0 ? 200 : 503, "application/json; charset=utf-8", `${body}\n`);
  }

  async #sendMetrics(response: ServerResponse): Promise<void> {
    const { metrics, log } = this.#services;
    try {
      send(response, 200, metrics.contentType, await metrics.text());
    } catch (error) {
      log("error", "metrics cannot be read", { reason: String(error) });
      send(response, 500, TEXT, "metrics cannot be read\n");
    }
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  const length = Buffer.byteLength(body);
  response.writeHead(status, { "content-type": type, "content-length": length, "cache-control": "no-store" });
  response.end(body);
}
