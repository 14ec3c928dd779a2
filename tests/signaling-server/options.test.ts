import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { OptionError, help, parseOptions } from "../../signaling-server/options.ts";

describe("options", () => {
  test("are explained by --help", () => {
    expect(parseOptions(["--help", "--port", "1"], {})).toBe("help");
    expect(parseOptions(["--version"], {})).toBe("version");
    const names = ["port", "host", "data-dir", "static-root", "origin", "log-level", "min-controller-epoch", "version"];
    const kafkaNames = ["kafka-port", "kafka-host", "kafka-advertised-host", "kafka-cluster"];
    for (const name of [...names, ...kafkaNames]) {
      expect(help).toContain(`--${name} `);
    }
  });

  test("have defaults", () => {
    expect(parseOptions([], {})).toEqual({
      port: 8080,
      host: "127.0.0.1",
      dataDir: "data",
      staticRoot: fileURLToPath(new URL("../../dist/demo", import.meta.url)),
      origins: [],
      minControllerEpoch: 0,
      logLevel: "info",
      kafka: undefined,
    });
  });

  test("open no Kafka port unless there is one", () => {
    expect(parseOptions([], { KAFKA_PORT: "", KAFKA_HOST: "0.0.0.0" })).toMatchObject({ kafka: undefined });
    expect(parseOptions([], { KAFKA_PORT: "9092" })).toMatchObject({
      kafka: { port: 9092, host: "127.0.0.1", advertisedHost: "127.0.0.1", cluster: "tabstream" },
    });
    const env = { KAFKA_PORT: "1", KAFKA_HOST: "::1", KAFKA_ADVERTISED_HOST: "a", KAFKA_CLUSTER: "b" };
    expect(parseOptions([], env)).toMatchObject({
      kafka: { port: 1, host: "::1", advertisedHost: "a", cluster: "b" },
    });
    const args = ["--kafka-port", "2", "--kafka-host=0.0.0.0", "--kafka-advertised-host", "c", "--kafka-cluster", "d"];
    expect(parseOptions(args, env)).toMatchObject({
      kafka: { port: 2, host: "0.0.0.0", advertisedHost: "c", cluster: "d" },
    });
  });

  test("come from the environment, and flags win", () => {
    const ORIGINS = "https://a.example, http://b.example:81";
    const env = { PORT: "1", HOST: "::1", DATA_DIR: "/d", STATIC_ROOT: "/s", ORIGINS, LOG_LEVEL: "warn" };
    expect(parseOptions([], env)).toMatchObject({
      port: 1,
      host: "::1",
      dataDir: "/d",
      staticRoot: "/s",
      origins: ["https://a.example", "http://b.example:81"],
      logLevel: "warn",
    });
    const args = ["--port", "2", "--data-dir=/e", "--origin", "https://c.example", "--origin", "https://d.example"];
    expect(parseOptions([...args, "--min-controller-epoch", "9"], env)).toMatchObject({
      port: 2,
      host: "::1",
      dataDir: "/e",
      origins: ["https://c.example", "https://d.example"],
      minControllerEpoch: 9,
    });
  });

  test("are not set by empty variables, least of all the address to listen on", () => {
    const names = ["PORT", "HOST", "DATA_DIR", "STATIC_ROOT", "ORIGINS", "LOG_LEVEL", "KAFKA_PORT", "KAFKA_HOST"];
    const env = Object.fromEntries(names.map((name) => [name, ""]));
    expect(parseOptions([], env)).toEqual(parseOptions([], {}));
    const kafka = { KAFKA_PORT: "9092", KAFKA_HOST: "", KAFKA_ADVERTISED_HOST: "", KAFKA_CLUSTER: "" };
    expect(parseOptions([], kafka)).toEqual(parseOptions([], { KAFKA_PORT: "9092" }));
  });

  test.each([
    [["--bogus"], "Unknown option '--bogus'"],
    [["extra"], "extra"],
    [["--port"], "argument missing"],
    [["--port", "http"], "port is http, where a whole number from 0 to 65535 is due"],
    [["--port", "65536"], "65536"],
    [["--port", "-1"], "port"],
    [["--origin", "https://a.example/path"], "https://a.example/path is no origin"],
    [["--origin", "*"], "* is no origin"],
    [["--log-level", "loud"], "loud is no log level; they are debug, info, warn, error"],
    [["--min-controller-epoch", "1e9"], "min-controller-epoch"],
    [["--min-controller-epoch", "1073741825"], "min-controller-epoch"],
    [["--host", ""], "host is empty"],
    [["--kafka-port", "9092", "--kafka-host", ""], "kafka-host is empty"],
    [["--kafka-port", "0"], "kafka-port is 0"],
    [["--kafka-port", "65536"], "kafka-port is 65536"],
    [["--kafka-port", "9092", "--kafka-host", "0.0.0.0"], "name this machine as they know it"],
    [["--kafka-port", "9092", "--kafka-cluster", "a/b"], "kafka-cluster is a/b"],
  ])("%j is refused", (args, complaint) => {
    expect(() => parseOptions(args, {})).toThrow(OptionError);
    expect(() => parseOptions(args, {})).toThrow(complaint);
  });
});

test("the command ends with 2 and a hint at a flag it does not know", { timeout: 30_000 }, () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const command = ["--import", "tsx", "signaling-server/main.ts", "--bogus"];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(/--bogus[^]*See --help\.\n$/);
});
