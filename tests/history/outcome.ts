/** What became of a send or a transaction, as small numbers for columns. */
export const UNKNOWN = 0;
export const OK = 1;
export const FAILED = 2;
/** Of operations that are no transactions. */
export const NO_TRANSACTION = 3;
