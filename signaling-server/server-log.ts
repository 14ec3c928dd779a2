import type { LogLevel } from "../src/runtime/broker-platform.ts";
import { TokenBucket } from "./token-bucket.ts";

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** One line of what happened and to whom. Never what was said: no keys, no signals, no records. */
export type ServerLog = (level: LogLevel, message: string, fields?: LogFields) => void;

const severity: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Strangers can cause lines, so they are counted; errors are always written. */
const LINE_RATE = { burst: 1_000, perSecond: 100 };

/** Writes `time level message name=value …`. Values that could forge a line or a field are quoted. */
export function lineLog(write: (line: string) => void, lowest: LogLevel): ServerLog {
  const lines = new TokenBucket(LINE_RATE, performance.now());
  let dropped = 0;
  return (level, message, fields = {}) => {
    if (severity[level] < severity[lowest]) return;
    if (!lines.take(1, performance.now()) && level !== "error") {
      dropped++;
      return;
    }
    if (dropped > 0) write(line("warn", "lines were dropped, for they came too fast", { count: dropped }));
    dropped = 0;
    write(line(level, message, fields));
  };
}

function line(level: LogLevel, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${quoted(String(value))}`);
  return `${new Date().toISOString()} ${level.padEnd(5)} ${plain(message)}${pairs.join("")}\n`;
}

function quoted(value: string): string {
  return /^[\w.:/@[\]-]+$/.test(value) ? value : plain(JSON.stringify(value));
}

/** Without control and bidirectional characters, which could rewrite what an operator sees. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    return `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`;
  });
}
