import { errorCode } from "../protocol/error-codes.ts";
import type { ErrorName } from "../protocol/error-codes.ts";

/** Why a part of a request is refused: Kafka's name for it, and a sentence for people. */
export interface RequestError {
  readonly error: ErrorName;
  readonly message: string;
}

export function refuse(error: ErrorName, message: string): RequestError {
  return { error, message };
}

export function isRefused(outcome: object): outcome is RequestError {
  return "error" in outcome;
}

/** The two fields in which most responses tell of an error. */
export function errorFields({ error, message }: RequestError): {
  readonly errorCode: number;
  readonly errorMessage: string;
} {
  return { errorCode: errorCode(error), errorMessage: message };
}

/** Items whose key occurs more than once. */
export function duplicates<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const item of items) {
    const key = keyOf(item);
    if (seen.has(key)) twice.add(key);
    seen.add(key);
  }
  return twice;
}

/** One item for each key. */
export function distinct<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}
