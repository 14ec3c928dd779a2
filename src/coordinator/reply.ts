import type { ErrorName } from "../protocol/error-codes.ts";

/** Gives the answer to one request, once: what it asked for, or the error that stands for all of it. */
export type Reply<Response> = (outcome: Response | ErrorName) => void;

/** Who asks, and in which version of the request. */
export interface Client {
  readonly clientId: string;
  readonly clientHost: string;
  readonly version: number;
}
