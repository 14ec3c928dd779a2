import type { IncomingMessage } from "node:http";

export interface AccessOptions {
  /** The address that the server listens on. */
  readonly host: string;
  /** Other origins whose pages may use this server, such as `https://app.example`. */
  readonly origins: readonly string[];
}

/**
 * Which pages may talk to this server: those it served itself, and those of the listed origins. Programs other than
 * browsers send no Origin and are let in.
 *
 * A server on a loopback address also insists that it is called by a loopback name. Otherwise a foreign page could
 * point its own name at 127.0.0.1 and pass for this server's (DNS rebinding).
 */
export class Access {
  readonly #origins: ReadonlySet<string>;
  /** Undefined if any name will do. */
  readonly #hosts: ReadonlySet<string> | undefined;

  constructor({ host, origins }: AccessOptions) {
    this.#origins = new Set(origins);
    if (isLoopback(host)) this.#hosts = new Set(origins.flatMap(hostsOf));
  }

  /** Why the request is refused; undefined if it is not. */
  refusal({ headers }: IncomingMessage): string | undefined {
    const host = headers.host?.toLowerCase();
    if (host === undefined || !/^[\w.:[\]-]+$/.test(host)) return "the Host header is missing or malformed";
    if (this.#hosts !== undefined && !isLoopback(withoutPort(host)) && !this.#hosts.has(host)) {
      return `the server is not known as ${host}; start it with --origin to let it be`;
    }
    const { origin } = headers;
    if (origin === undefined || this.#origins.has(origin) || hostsOf(origin).includes(host)) return undefined;
    const remedy = isOrigin(origin) ? `; start it with --origin ${origin} to let them` : "";
    return `pages of ${origin} may not use this server${remedy}`;
  }
}

/** Whether `text` is an origin as browsers send it. */
export function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

/** What a request to the server of an origin may have for a Host: a default port is named by some proxies. */
function hostsOf(origin: string): string[] {
  if (!isOrigin(origin)) return [];
  const { protocol, host, port } = new URL(origin);
  return port === "" ? [host, `${host}:${protocol === "https:" ? 443 : 80}`] : [host];
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, "");
}

function isLoopback(name: string): boolean {
  return /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(name);
}
