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

/** Thrown when a compressed block names a codec that cannot be loaded, or would grow past the limit given for it. */
export class CompressionError extends Error {
  override readonly name = "CompressionError";
  readonly error: ErrorName;

  constructor(error: ErrorName, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.error = error;
  }
}
