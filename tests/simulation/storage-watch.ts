import type { StorageDirectory } from "../../src/metadata/image.ts";
import type { StoredLogs } from "../../src/platform/simulated/stored-logs.ts";
import type { SimulatedTab } from "../../src/platform/simulated/simulated-tab.ts";
import { batches, verifyCrc } from "../../src/protocol/record-batch.ts";
import { fail } from "./oracle-context.ts";
import type { OracleContext } from "./oracle-context.ts";

/**
 * R11: whenever its page may die, a directory can prove that it is what it was. It holds the generation and nonce that
 * the controller knows, or, while those are not confirmed, the ones before with the new nonce pending. Else a mere
 * crash would make the cluster give a good copy up.
 */
export function expectPresentable({ tabs, isDamaged }: OracleContext, directory: StorageDirectory): void {
  const { directoryId, generation, nonce, confirmed } = directory;
  const holders = tabs.filter(({ storage }) => storage.image.identity.directoryId === directoryId);
  if (holders.length === 0 || holders.some((tab) => isDamaged(tab))) return;
  const canProve = holders.some(({ storage }) => {
    const { identity } = storage.image;
    if (identity.generation === generation && identity.nonce === nonce) return true;
    return !confirmed && identity.generation === generation - 1 && identity.pendingNonce === nonce;
  });
  if (canProve) return;
  const [{ name, storage }] = holders as [SimulatedTab];
  const { identity } = storage.image;
  const held = `${identity.generation}, ${identity.nonce}, pending ${identity.pendingNonce}`;
  fail("identity-is-stored", `${name} holds generation ${held}; the controller has ${JSON.stringify(directory)}`);
}

/** R20: a page that opened a directory has read the ends of its logs, and does not serve if they are damaged. */
export function expectIntactEnds({ name, storage }: SimulatedTab): void {
  for (const { metadata, tail } of storage.image.logs.load()) {
    for (const chunk of tail) {
      for (const { header, bytes } of batches(chunk.bytes)) {
        if (verifyCrc(bytes)) continue;
        const where = `${metadata.topicId}/${metadata.partitionIndex}`;
        fail("damage-is-noticed", `${name} serves, and its batch at ${header.baseOffset} of ${where} is damaged`);
      }
    }
  }
}

/** Whether every batch that is stored is what was stored. */
export function isIntact(logs: StoredLogs): boolean {
  return logs.keys.every((key) =>
    logs.read(key, 0, Number.POSITIVE_INFINITY).every((chunk) => [...batches(chunk.bytes)].every(({ bytes }) => verifyCrc(bytes))),
  );
}
