import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { endianness } from "node:os";

/** Where the first page says whose it is, in the machine's own byte order: in LMDB 0.9, and in LMDB 1.0. */
const MAGIC_AT = [16, 24];
const MAGIC = 0xbeefc0de;
/** LMDB makes a file with two pages of at least this size. */
const SMALLEST_BYTES = 2 * 4096;
/** More than a new lock file takes. */
const LOCK_BYTES = 16 * 1024;

/**
 * What is wrong with the file at `path` before LMDB maps it into memory; undefined for a sound or missing one. LMDB
 * itself takes a foreign file on trust, and the process ends without a word.
 */
export function flawOfLmdbFile(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { size } = fstatSync(file);
    if (size === 0) return undefined;
    if (size < SMALLEST_BYTES) return `it is cut short to ${size} bytes`;
    const page = Buffer.alloc(32);
    readSync(file, page, 0, page.length, 0);
    const read = endianness() === "LE" ? page.readUInt32LE : page.readUInt32BE;
    return MAGIC_AT.some((at) => read.call(page, at) === MAGIC) ? undefined : "it is no LMDB file";
  } finally {
    closeSync(file);
  }
}

/**
 * Throws unless the files of the database at `path` can be written, and the lock file beside it be made. LMDB ends the
 * process without a word if it may not open that file, or if the disk has no room for the pages of it that it maps.
 */
export function expectWritable(path: string): void {
  const lockPath = `${path}-lock`;
  const [database, lock] = [path, lockPath].map((name) => statSync(name, { throwIfNoEntry: false }));
  if (database !== undefined) accessSync(path, constants.R_OK | constants.W_OK);
  if (lock !== undefined) {
    if (!lock.isFile()) throw new Error(`${lockPath} is no file; move it away`);
    accessSync(lockPath, constants.R_OK | constants.W_OK);
    if (lock.blocks > 0) return;
  }
  const probe = `${path}-probe`;
  try {
    writeFileSync(probe, Buffer.alloc(LOCK_BYTES));
  } finally {
    rmSync(probe, { force: true });
  }
}
