/** Thrown when the command line, or a file that it names, asks for what does not exist; the message is for the user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
