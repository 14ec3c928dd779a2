import type { BrokerStatus, ClusterView } from "../index.ts";
import { bytes, listOf } from "./figures.ts";
import { copiesOf } from "./replica-grid.ts";
import { visibleText } from "./visible-text.ts";

/** Something the reader should know: what happened, what goes on meanwhile, and what helps. */
export interface Notice {
  readonly level: "info" | "warning" | "error";
  readonly title: string;
  readonly text: string;
}

export interface Situation {
  readonly server: string;
  /** What this browser lacks, in words; such a tab can only say so. */
  readonly missing: readonly string[];
  /** Undefined until this tab's broker has been started. */
  readonly status: BrokerStatus | undefined;
  /** Why the broker could not even be started. */
  readonly startError: string | undefined;
  readonly view: ClusterView | undefined;
  /** `min.insync.replicas` by topic; a topic not in it has Tabstream's default. */
  readonly minIsr: ReadonlyMap<string, number>;
  readonly storage: StorageRoom | undefined;
}

export interface StorageRoom {
  readonly usedBytes: number;
  readonly quotaBytes: number;
  readonly persisted: boolean;
}

const DEFAULT_MIN_ISR = 2;

/** From this share of the quota on, the page says that room is running out. */
const STORAGE_NEARLY_FULL = 0.9;
const NAMES_LISTED = 3;
const HOLDERS_LISTED = 8;
const REASON_SHOWN = 300;

/** The heaviest first. */
export function adviceFor(situation: Situation): readonly Notice[] {
  return [
    ...aboutBrowser(situation),
    ...aboutBroker(situation),
    ...aboutServer(situation),
    ...aboutStorage(situation),
    ...aboutPartitions(situation),
  ];
}

function aboutBrowser({ missing }: Situation): readonly Notice[] {
  if (missing.length === 0) return [];
  return [
    {
      level: "error",
      title: "This browser window cannot be a broker",
      text: `It offers no ${listOf(missing, "or")}. Open the page in a current browser, on localhost or over https.`,
    },
  ];
}

function aboutBroker({ status, startError }: Situation): readonly Notice[] {
  if (startError !== undefined) {
    return [
      {
        level: "error",
        title: "This tab's broker did not start",
        text: `${sentence(startError)} Reload the page to try again.`,
      },
    ];
  }
  const reason = status?.reason === undefined ? "" : `${sentence(status.reason)} `;
  switch (status?.state) {
    case "starting":
      if (reason === "") return [];
      return [{ level: "warning", title: "This tab's broker has not joined the cluster yet", text: reason.trimEnd() }];
    case "failed":
      return [
        {
          level: "error",
          title: "This tab's storage cannot be trusted, so its broker has stepped down",
          text:
            `${reason}Acknowledged records stay readable from the other copies. Make room if the disk or the ` +
            "quota is full (delete a topic, or shorten its retention), then reload this tab. If its data is damaged, " +
            "clear this site's data: all tabs of this profile start over with empty copies.",
        },
      ];
    case "fenced":
      return [
        {
          level: "warning",
          title: "This tab's broker is fenced: it serves nobody for now",
          text: `${reason}It registers again by itself; what it acknowledged before is safe.`,
        },
      ];
    case "stopped":
      return [
        {
          level: "info",
          title: "This tab's broker is stopped",
          text: `${reason}Its copies stay on this disk. Reload the page and it resumes from what it still holds.`,
        },
      ];
    default:
      return [];
  }
}

function aboutServer({ server, status, view, startError }: Situation): readonly Notice[] {
  if (startError !== undefined || status === undefined || status.state === "stopped") return [];
  if (status.controllerConnected) return [];
  if (view === undefined) {
    return [
      {
        level: "info",
        title: "Looking for the metadata server",
        text: `At ${server}. If it does not answer, start it with “npm start”; this tab connects by itself.`,
      },
    ];
  }
  return [
    {
      level: "warning",
      title: "The metadata server cannot be reached",
      text:
        "Reading and writing go on with the present leaders. Elections, new topics, new tabs and changes of the " +
        "in-sync set wait, and so does what counts on a tab that closes meanwhile. Reconnecting…",
    },
  ];
}

function aboutStorage({ storage }: Situation): readonly Notice[] {
  if (storage === undefined || storage.quotaBytes === 0) return [];
  if (storage.usedBytes < STORAGE_NEARLY_FULL * storage.quotaBytes) return [];
  return [
    {
      level: "warning",
      title: "This browser profile's storage is nearly full",
      text:
        `${bytes(storage.usedBytes)} of ${bytes(storage.quotaBytes)} are used. When it is full this broker steps ` +
        "down. Delete a topic, shorten its retention, or free disk space.",
    },
  ];
}

function aboutPartitions({ view, minIsr }: Situation): readonly Notice[] {
  if (view === undefined) return [];
  const leaderless: string[] = [];
  const holders = new Set<number>();
  const short: string[] = [];
  for (const topic of view.topics) {
    for (const partition of topic.partitions) {
      const name = `${visibleText(topic.name, 40)}-${partition.partitionIndex}`;
      if (partition.leader < 0) {
        leaderless.push(name);
        for (const id of partition.isr.length > 0 ? partition.isr : copiesOf(partition)) holders.add(id);
      } else if (partition.isr.length < effectiveMinIsr(partition, minIsr.get(topic.name))) {
        short.push(name);
      }
    }
  }
  const notices: Notice[] = [];
  if (leaderless.length > 0) {
    const brokers = summary([...holders].sort((a, b) => a - b).map(String), HOLDERS_LISTED, "or");
    notices.push({
      level: "error",
      title: `No leader for ${summary(leaderless)}`,
      text:
        `Every in-sync copy is in a closed tab. Reopen ${holders.size > 1 ? "one of the brokers" : "broker"} ` +
        `${brokers} (the same browser profile), and it leads again. A new tab becomes one of the brokers whose tabs ` +
        "are closed: open further ones until it is there. Nobody else is elected: that would lose " +
        "acknowledged records.",
    });
  }
  if (short.length > 0) {
    notices.push({
      level: "warning",
      title: `acks=all waits on ${summary(short)}`,
      text:
        "Fewer copies are in sync than min.insync.replicas asks for, and an acknowledgement would promise too much. " +
        "Open another tab, or wait until a closed one has caught up; producers retry meanwhile.",
    });
  }
  return notices;
}

/** Reasons come as clauses in lower case. */
function sentence(reason: string): string {
  const text = visibleText(reason, REASON_SHOWN);
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}

/** Kafka's rule: never more than the replicas that are assigned. */
export function effectiveMinIsr(partition: { readonly replicas: readonly number[] }, configured?: number): number {
  return Math.min(configured ?? DEFAULT_MIN_ISR, partition.replicas.length);
}

function summary(names: readonly string[], limit = NAMES_LISTED, conjunction = "and"): string {
  const listed = names.slice(0, limit);
  const rest = names.length - listed.length;
  return rest === 0 ? listOf(listed, conjunction) : `${listed.join(", ")} ${conjunction} ${rest} more`;
}
