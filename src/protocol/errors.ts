import type { ErrorName } from "./error-codes.ts";

/** Thrown when bytes from a peer or a disk do not follow the format they claim to have. */
export class CorruptMessageError extends Error {
  override readonly name = "CorruptMessageError";
  readonly error: ErrorName = "CORRUPT_MESSAGE";
}

/** Thrown when a message is to be read or written in a version that its schema does not describe. */
export class UnsupportedVersionError extends Error {
  override readonly name = "UnsupportedVersionError";
  readonly error: ErrorName = "UNSUPPORTED_VERSION";
  readonly version: number;

  constructor(messageName: string, version: number, versions: readonly [number, number]) {
    super(`${messageName} version ${version} is outside the supported versions ${versions[0]} to ${versions[1]}`);
    this.version = version;
  }
}

/** Thrown when a batch names a compression codec that does not exist. */
export class UnsupportedCompressionError extends Error {
  override readonly name = "UnsupportedCompressionError";
  readonly error: ErrorName = "UNSUPPORTED_COMPRESSION_TYPE";
}
