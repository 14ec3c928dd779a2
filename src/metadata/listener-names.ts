/** The listener that tabs dial over data channels; its endpoint's host is the peer id. */
export const TAB_LISTENER = "TAB";

/** The listener that stands for TCP ports of the server. Only the controller gives out its endpoints. */
export const KAFKA_LISTENER = "KAFKA";
