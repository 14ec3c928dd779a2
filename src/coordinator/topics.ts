/** What a coordinator has to know of the cluster's topics. */
export interface Topics {
  /** Changes whenever the answers of the others may have changed. */
  readonly version: number;
  named(name: string): { readonly topicId: string; readonly partitionCount: number } | undefined;
  nameOf(topicId: string): string | undefined;
}
