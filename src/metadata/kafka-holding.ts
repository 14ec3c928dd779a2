/**
 * What a tab says, as text, on the socket that brings it the bytes of a Kafka client: the server shall read nothing more
 * of that client for the time being, or go on.
 */
export const HOLD = "hold";
export const RELEASE = "release";
