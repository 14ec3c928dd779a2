import { MissingToolchain } from "./client-program.ts";
import type { ClientProgram, Start } from "./client-program.ts";
import { run } from "./running-program.ts";

const LINES = ["-q", "-u", "-f", "%k\t%s\n"];

/** kcat with the librdkafka of the system. Debian's 2.0.2 still judges brokers by single versions that they offer. */
export const kcat: ClientProgram = {
  name: "kcat",
  codecs: ["none", "gzip", "snappy", "lz4", "zstd"],
  idempotent: false,
  async install() {
    try {
      await run(["kcat", "-V"]);
    } catch {
      throw new MissingToolchain("kcat is not installed (Debian's package: kcat)");
    }
  },
  createTopic: undefined,
  produce: (bootstrap, topic, codec) => ["kcat", "-P", "-b", bootstrap, "-t", topic, "-K", "\t", "-z", codec],
  consume(bootstrap, topic, start: Start) {
    if (start.from === "group") {
      const reset = ["-X", "auto.offset.reset=earliest"];
      return ["kcat", "-b", bootstrap, ...reset, ...LINES, "-G", start.group, topic];
    }
    const offset = start.from === "beginning" ? "beginning" : `s@${start.timestamp}`;
    return ["kcat", "-C", "-b", bootstrap, "-t", topic, "-o", offset, ...LINES];
  },
};
