import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { request } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Access } from "../../signaling-server/access.ts";
import { LmdbMetadataStore } from "../../signaling-server/metadata-store/lmdb-metadata-store.ts";
import { startServer } from "../../signaling-server/server.ts";
import { temporaryFolder, testServer } from "./test-server.ts";
import { TestTab, welcomedTab } from "./test-tab.ts";

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

interface Question {
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

/** A request whose path and headers are sent as they are given. */
function ask(port: number, path: string, options: Question = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, ...options }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => void (body += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    asked.on("error", reject);
    asked.end();
  });
}

async function pages(): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "root/assets"), { recursive: true });
  await writeFile(join(folder, "secret.txt"), "secret");
  await writeFile(join(folder, "root/index.html"), "<!doctype html><title>demo</title>");
  await writeFile(join(folder, "root/assets/main-Ab3_x9-Q.js"), "export {};");
  await writeFile(join(folder, "root/assets/zstd-Ab3_x9-Q.wasm"), "\0asm");
  await symlink(join(folder, "secret.txt"), join(folder, "root/link.txt"));
  return join(folder, "root");
}

describe("pages", () => {
  test("the demo is served with its types, its tags and a strict policy", async () => {
    const { port } = await testServer({ staticRoot: await pages() });
    const index = await ask(port, "/?cluster=x");
    expect(index).toMatchObject({ status: 200, body: "<!doctype html><title>demo</title>" });
    expect(index.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    });
    const policy = String(index.headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
    expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${port} wss://127.0.0.1:${port};`);
    expect(policy).not.toContain("unsafe-inline");

    const script = await ask(port, "/assets/main-Ab3_x9-Q.js");
    expect(script.headers["content-type"]).toBe("text/javascript; charset=utf-8");
    expect(script.headers["cache-control"]).toContain("immutable");
    expect((await ask(port, "/assets/zstd-Ab3_x9-Q.wasm")).headers["content-type"]).toBe("application/wasm");

    const again = await ask(port, "/", { headers: { "if-none-match": String(index.headers["etag"]) } });
    expect(again).toMatchObject({ status: 304, body: "" });
    // A proxy that compresses what it passes on makes the tag a weak one.
    const weak = { headers: { "if-none-match": `"other", W/${String(index.headers["etag"])}` } };
    expect(await ask(port, "/", weak)).toMatchObject({ status: 304, body: "" });
    expect(await ask(port, "/", { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
  });

  test.each([
    ["/../secret.txt"],
    ["/..%2fsecret.txt"],
    ["/%2e%2e/secret.txt"],
    ["/assets/../../secret.txt"],
    ["/assets/..\\..\\secret.txt"],
    ["//etc/passwd"],
    ["/link.txt"],
    ["/index.html%00.txt"],
    ["/__proto__"],
    ["/constructor"],
    ["/assets/"],
    ["/assets"],
    ["http://127.0.0.1/secret.txt"],
  ])("%s is not found", async (path) => {
    const { port } = await testServer({ staticRoot: await pages() });
    const { status, body } = await ask(port, path);
    expect(status).toBe(404);
    expect(body).not.toContain("secret");
  });

  test("without a build the page says what to do, and the log which folder is empty", async () => {
    const { port, dataDir, lines } = await testServer();
    expect(lines).toContain(`warn there are no pages to serve folder=${join(dataDir, "no-pages")}`);
    expect(await ask(port, "/")).toMatchObject({ status: 404, body: expect.stringContaining("npm run build") });
  });

  test("only GET and HEAD are served", async () => {
    const { port } = await testServer();
    const answer = await ask(port, "/healthz", { method: "POST" });
    expect(answer).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  });
});

describe("who may use the server", () => {
  const upgrade = (origin: string | undefined, host?: string) => ({
    ...(origin === undefined ? {} : { origin }),
    ...(host === undefined ? {} : { headers: { host } }),
  });

  test("its own pages and programs may, other pages may not", async () => {
    const server = await testServer();
    await welcomedTab(server);
    await welcomedTab(server, { client: upgrade(server.url) });
    await welcomedTab(server, { client: upgrade(`http://localhost:${server.port}`, `localhost:${server.port}`) });
    const neighbours = [`http://127.0.0.1:${server.port + 1}`, `http://localhost:${server.port}`];
    for (const origin of ["https://evil.example", "null", ...neighbours]) {
      await expect(new TestTab(server, { client: upgrade(origin) }).opened).rejects.toThrow("HTTP 403");
    }
    expect(server.lines.join()).toContain(
      "pages of https://evil.example may not use this server; start it with --origin https://evil.example to let them",
    );
  });

  test("listed origins may", async () => {
    const server = await testServer({ origins: ["https://app.example"] });
    await welcomedTab(server, { client: upgrade("https://app.example") });
    await expect(new TestTab(server, { client: upgrade("http://app.example") }).opened).rejects.toThrow("HTTP 403");
  });

  test("a foreign name that points here is refused, unless it is listed", async () => {
    const rebound = upgrade("http://evil.example", "evil.example");
    const server = await testServer();
    await expect(new TestTab(server, { client: rebound }).opened).rejects.toThrow("HTTP 403");
    expect(await ask(server.port, "/metrics", { headers: { host: "evil.example" } })).toMatchObject({ status: 403 });
    const proxied = await testServer({ origins: ["https://tabs.example"] });
    await welcomedTab(proxied, { client: upgrade("https://tabs.example", "tabs.example") });
  });

  test.each([
    ["https://tabs.example", "tabs.example", true],
    ["https://tabs.example", "tabs.example:443", true],
    ["http://tabs.example", "tabs.example:80", true],
    ["https://tabs.example:8443", "tabs.example:8443", true],
    ["http://tabs.example", "tabs.example:443", false],
    ["https://tabs.example", "tabs.example:80", false],
    ["https://tabs.example:8443", "tabs.example", false],
    ["https://tabs.example", "other.example:443", false],
  ])("pages of %s, whose proxy calls the server %s, are its own: %s", (origin, host, isOwn) => {
    const message = { headers: { origin, host } } as IncomingMessage;
    expect(new Access({ host: "0.0.0.0", origins: [] }).refusal(message) === undefined).toBe(isOwn);
    // A proxy on the same machine.
    expect(new Access({ host: "127.0.0.1", origins: [origin] }).refusal(message) === undefined).toBe(isOwn);
  });

  test("a Host header cannot add to the policy", async () => {
    const { port } = await testServer();
    expect(await ask(port, "/", { headers: { host: "localhost; script-src *" } })).toMatchObject({ status: 403 });
  });
});

describe("for operators", () => {
  test("a client that offers another protocol is answered in the present one", async () => {
    const { port } = await testServer();
    const headers = { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABkAAQAoAAA" };
    expect(await ask(port, "/healthz", { headers })).toMatchObject({ status: 200, headers: { connection: "close" } });
    expect(await ask(port, "/metrics", { headers })).toMatchObject({ status: 200 });
  });

  test("health tells what is open", async () => {
    const server = await testServer();
    await welcomedTab(server);
    const { status, body, headers } = await ask(server.port, "/healthz");
    expect(status).toBe(200);
    expect(headers["cache-control"]).toBe("no-store");
    expect(JSON.parse(body)).toMatchObject({ status: "ok", sockets: 1, clusters: 1, failedClusters: 0 });
  });

  test("metrics count sockets, frames, refusals and the metadata log, and name no cluster", async () => {
    const server = await testServer();
    const tab = await welcomedTab(server, { cluster: "hidden-name" });
    tab.webSocket.send("{");
    await tab.ended;
    await welcomedTab(server, { cluster: "hidden-name" });
    const { body } = await ask(server.port, "/metrics");
    expect(body).toContain("tabstream_sockets 1\n");
    expect(body).toContain("tabstream_clusters 1\n");
    expect(body).toContain("tabstream_brokers 0\n");
    expect(body).toContain("tabstream_relays 0\n");
    expect(body).toMatch(/tabstream_metadata_log_end_offset [1-9]/);
    expect(body).toContain('tabstream_frames_total{kind="text",direction="in"} 1\n');
    expect(body).toContain('tabstream_frames_total{kind="text",direction="out"} 2\n');
    expect(body).toContain('tabstream_refusals_total{reason="malformed"} 1\n');
    expect(body).toContain("tabstream_metadata_commit_seconds_count");
    expect(body).toContain("nodejs_eventloop_lag_seconds");
    expect(body).not.toContain("hidden-name");
  });

  test("logs hold no key and no signal", async () => {
    const server = await testServer();
    const [left, right] = await Promise.all([welcomedTab(server), welcomedTab(server)]);
    left.say({ type: "signal", to: right.peer, signal: { sdp: "a-secret-sdp" } });
    await right.take("signal");
    const thief = new TestTab(server, { peer: left.peer });
    await thief.ended;
    left.webSocket.send('{"type":"a-secret-type"}');
    await left.ended;
    const text = server.lines.join("\n");
    expect(text).toContain(left.peer);
    expect(text).not.toContain(left.key);
    expect(text).not.toContain(thief.key);
    expect(text).not.toContain("a-secret");
  });
});

describe("start and stop", () => {
  test("a port in use is told apart, and the data of the other server stays its own", async () => {
    const first = await testServer();
    const { port, dataDir } = first;
    const second = startServer({ port, host: "127.0.0.1", dataDir, staticRoot: "nowhere", log: () => {} });
    await expect(second).rejects.toThrow(`port ${port} of 127.0.0.1: it is in use; choose another with --port`);
    await welcomedTab(first);
  });

  test("tabs are asked to connect again", async () => {
    const server = await testServer();
    const tab = await welcomedTab(server);
    await server.close();
    expect(await tab.ended).toEqual({ code: 1012, reason: "the server restarts" });
    await expect(ask(server.port, "/healthz")).rejects.toThrow("ECONNREFUSED");
  });

  test("a tab that does not answer cannot hold it up", async () => {
    const server = await testServer();
    const tab = await welcomedTab(server);
    tab.webSocket.pause();
    const startedMs = performance.now();
    await server.close();
    expect(performance.now() - startedMs).toBeLessThan(2_500);
  });

  test("a tab whose cluster is being opened cannot hold it up either", async () => {
    const server = await testServer();
    const { open } = LmdbMetadataStore.prototype;
    let read = () => {};
    const reading = new Promise<void>((resolve) => (read = resolve));
    const opening = vi.spyOn(LmdbMetadataStore.prototype, "open");
    opening.mockImplementation(async function (this: LmdbMetadataStore, cluster) {
      await reading;
      return open.call(this, cluster);
    });
    onTestFinished(() => opening.mockRestore());
    const tab = new TestTab(server);
    await expect.poll(() => opening.mock.calls.length).toBe(1);
    const startedMs = performance.now();
    const closed = server.close();
    read();
    await closed;
    expect(performance.now() - startedMs).toBeLessThan(2_500);
    await expect(tab.opened).rejects.toThrow("socket hang up");
  });

  test("a connection that the machine could not accept is told, and the server goes on", async () => {
    const server = await testServer();
    let http: Server | undefined;
    const note = (message: unknown) => void ({ server: http } = message as { server: Server });
    subscribe("http.server.request.start", note);
    onTestFinished(() => void unsubscribe("http.server.request.start", note));
    await ask(server.port, "/healthz");
    // As Node does when the process or the machine has no more file descriptors.
    http!.emit("error", new Error("accept EMFILE"));
    expect(server.lines).toContainEqual("warn the HTTP port failed reason=accept EMFILE");
    expect(await ask(server.port, "/healthz")).toMatchObject({ status: 200 });
  });

  test("requests that are no HTTP, or are cut off in an upgrade, harm nobody", async () => {
    const server = await testServer();
    const peer = "00000000-0000-4000-8000-000000000000";
    const path = `/clusters/demo?peer=${peer}&key=${peer}`;
    const upgradeTo = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n`;
    const webSocket = `${upgradeTo}Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n`;
    for (const text of [
      "\x16\x03\x01\x02\x00",
      "GET / HTTP/9.9\r\n\r\n",
      `${upgradeTo}Upgrade: h2c\r\n\r\n`,
      `${webSocket}\r\n`,
      `${webSocket}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nContent-Length: 5\r\n\r\nhello`,
    ]) {
      const socket = connect(server.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(text);
      await new Promise((resolve) => setTimeout(resolve, 20));
      socket.resetAndDestroy();
    }
    await welcomedTab(server);
  });
});
