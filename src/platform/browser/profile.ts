import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { storageError } from "./errors.ts";

/**
 * What all tabs of one browser profile share. They also share a disk and one "clear site data" button, so the profile
 * is the rack that replicas are spread over.
 */
interface ProfileSchema extends DBSchema {
  profile: { key: string; value: string };
}

const DATABASE = "tabstream/profile";

/** The profile's rack id: a UUID made by the first tab that asks. */
export async function profileRack(): Promise<string> {
  return once("rack", () => crypto.randomUUID());
}

/**
 * Asks the browser, once per profile, to keep this site's data when the disk runs low. Resolves to whether it does.
 * Only a window may ask.
 */
export async function persistStorage(): Promise<boolean> {
  if (navigator.storage?.persist === undefined) return false;
  const token = crypto.randomUUID();
  const first = (await once("asked-to-persist", () => token)) === token;
  return first ? navigator.storage.persist() : navigator.storage.persisted();
}

/** The value of `key`, which the first caller in the profile supplies. */
async function once(key: string, supply: () => string): Promise<string> {
  const database = await open();
  try {
    const transaction = database.transaction("profile", "readwrite", { durability: "strict" });
    const found = async () => {
      const present = await transaction.store.get(key);
      if (present !== undefined) return present;
      const value = supply();
      await transaction.store.add(value, key);
      return value;
    };
    // Together, for when one fails the other does too, and would not be heard.
    const [value] = await Promise.all([found(), transaction.done]);
    return value;
  } catch (cause) {
    throw storageError(cause, "reading what the tabs of this profile share");
  } finally {
    database.close();
  }
}

function open(): Promise<IDBPDatabase<ProfileSchema>> {
  return openDB<ProfileSchema>(DATABASE, 1, {
    upgrade: (database) => void database.createObjectStore("profile"),
    // Connections live for one transaction only, so nobody waits for long in either direction.
    blocked: () => {},
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
    terminated: () => {},
  });
}
