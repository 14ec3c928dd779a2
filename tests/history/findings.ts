import { ANOMALY_CLASSES } from "./anomaly.ts";
import type { Anomaly, AnomalyClass } from "./anomaly.ts";
import { isAllowed } from "./permissions.ts";
import type { Settings } from "./permissions.ts";

/** What a verdict says about one class. */
export interface ClassCount {
  /** Whether the settings of the run as a whole allow it. Single records may have been sent or read by others. */
  readonly permission: "allow" | "deny";
  readonly denied: number;
  readonly allowed: number;
}

/** Of each class; the counts go on. */
const MAX_EVIDENCE = 32;

/** Collects anomalies, and keeps those apart that are legal in their circumstances. */
export class Findings {
  readonly denied: Anomaly[] = [];
  readonly allowed: Anomaly[] = [];
  readonly #settings: Settings;
  readonly #denied = new Map<AnomalyClass, number>();
  readonly #allowed = new Map<AnomalyClass, number>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** `circumstances`: where these records differ from the run as a whole. */
  add(kind: AnomalyClass, partition: string, evidence: () => string, circumstances: Partial<Settings> = {}): void {
    const isLegal = isAllowed(kind, { ...this.#settings, ...circumstances });
    const counts = isLegal ? this.#allowed : this.#denied;
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    if (count >= MAX_EVIDENCE) return;
    (isLegal ? this.allowed : this.denied).push({ class: kind, partition, evidence: evidence() });
  }

  counts(): Record<AnomalyClass, ClassCount> {
    const counts = ANOMALY_CLASSES.map((kind): [AnomalyClass, ClassCount] => {
      const permission = isAllowed(kind, this.#settings) ? "allow" : "deny";
      return [kind, { permission, denied: this.#denied.get(kind) ?? 0, allowed: this.#allowed.get(kind) ?? 0 }];
    });
    return Object.fromEntries(counts) as Record<AnomalyClass, ClassCount>;
  }
}
