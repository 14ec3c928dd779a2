import type { Notice } from "../../inspector/advice.ts";
import { listOf } from "../../inspector/figures.ts";
import type { OwnReaderFacts } from "./who-reads.ts";

export interface GroupSituation {
  /** The metadata server cannot be reached any more. */
  readonly serverLost: boolean;
  readonly watchFailure: string | undefined;
  readonly writeFailure: string | undefined;
  readonly own: readonly (OwnReaderFacts & { readonly number: number })[];
}

/** What is wrong with the group, or with what this page does to it, and what helps. */
export function adviceForGroup(situation: GroupSituation): readonly Notice[] {
  const { serverLost, watchFailure, writeFailure, own } = situation;
  const notices: Notice[] = [];
  if (serverLost && own.length > 0) {
    notices.push({
      level: "warning",
      title: "The readers of this page stand still",
      text:
        "Each is a worker, which browsers give no WebRTC, so it reaches the brokers through the server’s relay. " +
        "They go on by themselves where they were. A page that reads for itself has direct links, and needs no server.",
    });
  }
  if (watchFailure !== undefined) {
    notices.push({
      level: "warning",
      title: "What is shown of the group may be old",
      text: `${ended(watchFailure)} It is asked for again and again; if it stays so, open another tab as a broker.`,
    });
  }
  if (writeFailure !== undefined) {
    notices.push({
      level: "error",
      title: "Orders are not acknowledged",
      text: `${ended(writeFailure)} Writing goes on by itself as soon as it can; reading does meanwhile.`,
    });
  }
  const failed = own.filter(({ report }) => report?.phase === "failed").map(({ number }) => `Reader ${number}`);
  if (failed.length > 0) {
    notices.push({
      level: "error",
      title: `${listOf(failed)} failed`,
      text: "The reason is on its card. Remove it and add another; what it had not committed is read again.",
    });
  }
  return notices;
}

function ended(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
