/** A consumer group as its picture has it. Names come from other people; the picture spells them out. */
export interface GroupView {
  readonly groupId: string;
  readonly topics: readonly TopicLag[];
  readonly readers: readonly ReaderView[];
  readonly stable: boolean;
}

export interface TopicLag {
  readonly name: string;
  readonly partitions: readonly PartitionLag[];
  /** Partitions that the picture leaves out. */
  readonly hidden: number;
}

export interface PartitionLag {
  /** As `partitionName` writes it. */
  readonly name: string;
  readonly partition: number;
  /** Undefined until known. */
  readonly head: number | undefined;
  /** -1 while the group has committed nothing. */
  readonly committed: number | undefined;
  readonly lag: number | undefined;
  /** The key of who reads it, or of the silent member that it still belongs to. */
  readonly reader: string | undefined;
  readonly hold: Hold;
  /** How long nobody has read it; undefined while somebody does. */
  readonly unreadMs: number | undefined;
}

/** Read by its reader, waiting for the session of a silent one to end, or nobody's. */
export type Hold = "read" | "silent" | "none";

export interface ReaderView {
  readonly key: string;
  readonly name: string;
  /** From 0 to 5: readers take turns at the colours of the page. */
  readonly colour: number;
  /** Where it runs, in words. */
  readonly where: string;
  readonly state: ReaderState;
  /** What goes on, in words; the first names of what it reads are not in it. */
  readonly note: string;
  /** Numbers of the partitions that it reads, by topic if there is more than one. */
  readonly reads: string;
  /** Records per second; undefined where nobody here knows. */
  readonly rate: number | undefined;
  readonly actions: readonly ReaderAction[];
}

export type ReaderState = "joining" | "reading" | "waiting" | "leaving" | "silent" | "failed";

export type ReaderAction = "remove" | "kill" | "freeze";

export interface ReaderActed {
  readonly key: string;
  readonly action: ReaderAction;
}
