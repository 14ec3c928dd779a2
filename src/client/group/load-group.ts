type GroupModule = typeof import("./consumer-group.ts");

let loaded: GroupModule | undefined;

/** What only groups need is loaded for them alone, and once: after that it takes no time. */
export async function loadGroup(): Promise<GroupModule> {
  return (loaded ??= await import("./consumer-group.ts"));
}
