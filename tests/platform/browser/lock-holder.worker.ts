import { openStorageDirectory } from "../../../src/platform/browser/storage-directory.ts";

/** Another tab, as far as locks and databases can tell. */
addEventListener("message", async ({ data: { cluster, hint } }) => {
  const startedMs = performance.now();
  const directory = await openStorageDirectory({
    cluster,
    hint,
    latest: undefined,
    refused: [],
    durability: "strict",
    lost: (reason) => postMessage({ lost: reason }),
    unusable: () => {},
  });
  postMessage({ directoryId: directory.identity.directoryId, elapsedMs: performance.now() - startedMs });
});
