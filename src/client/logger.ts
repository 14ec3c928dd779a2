/** KafkaJS's log levels. */
export const logLevel = { NOTHING: 0, ERROR: 1, WARN: 2, INFO: 4, DEBUG: 5 } as const;
export type logLevel = (typeof logLevel)[keyof typeof logLevel];

export interface LogEntry {
  readonly namespace: string;
  readonly level: logLevel;
  /** `ERROR`, `WARN`, `INFO` or `DEBUG`. */
  readonly label: string;
  readonly log: LoggerEntryContent;
}

export interface LoggerEntryContent {
  /** ISO 8601. */
  readonly timestamp: string;
  readonly message: string;
  readonly [key: string]: unknown;
}

/** Given once per Kafka instance; what it returns is called for every entry that passes the level. */
export type logCreator = (level: logLevel) => (entry: LogEntry) => void;

type Log = (message: string, extra?: object) => void;

export interface Logger {
  readonly info: Log;
  readonly error: Log;
  readonly warn: Log;
  readonly debug: Log;
  /** A logger whose entries carry `namespace`; without a level of its own it follows its parent's. */
  namespace(namespace: string, level?: logLevel): Logger;
  setLogLevel(level: logLevel): void;
}

export function createLogger(options: {
  readonly level: logLevel;
  readonly logCreator: logCreator;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
}): Logger {
  let sharedLevel = options.level;
  const write = options.logCreator(sharedLevel);

  const loggerOf = (namespace: string, ownLevel: logLevel | undefined): Logger => {
    const at =
      (label: keyof typeof logLevel): Log =>
      (message, extra = {}) => {
        const level = logLevel[label];
        if (level > (ownLevel ?? sharedLevel)) return;
        const timestamp = new Date(options.wallNow()).toISOString();
        write({ namespace, level, label, log: { ...extra, timestamp, message } });
      };
    return {
      info: at("INFO"),
      error: at("ERROR"),
      warn: at("WARN"),
      debug: at("DEBUG"),
      namespace: loggerOf,
      setLogLevel(level) {
        sharedLevel = level;
      },
    };
  };
  return loggerOf("", undefined);
}

/** Writes entries to the console, where a browser's filter by level works on them. */
export const consoleLogCreator: logCreator =
  () =>
  ({ namespace, label, log }) => {
    const { timestamp: _timestamp, message, ...extra } = log;
    const line = namespace === "" ? `[tabstream] ${message}` : `[tabstream ${namespace}] ${message}`;
    const rest = Object.keys(extra).length === 0 ? [] : [extra];
    if (label === "ERROR") console.error(line, ...rest);
    else if (label === "WARN") console.warn(line, ...rest);
    else if (label === "INFO") console.info(line, ...rest);
    else console.debug(line, ...rest);
  };
