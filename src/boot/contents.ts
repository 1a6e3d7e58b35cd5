import { join, resolve } from "node:path";
import type { AuditLog } from "../audit/index.ts";
import { dataClasses, type DataClass, type Ids } from "../base/index.ts";
import type { Settings } from "../config/index.ts";
import {
  type Contents,
  fileKeyEncryption,
  type KeyEncryption,
  type Lost,
  openContents,
  vaultKeyEncryption,
} from "../contents/index.ts";
import type { DataFolder } from "../installation/index.ts";
import type { Store } from "../store/index.ts";
import type { Retention } from "../tenancy/index.ts";
import type { Stops } from "./database.ts";
import { Failed } from "./failed.ts";
import type { BootOptions } from "./options.ts";
import { secretsOf } from "./secrets.ts";
import { messageOf } from "./words.ts";

const secondsADay = 86_400;

/** For how long content of each class is kept, by the settings. */
export function retentionOf({ contents }: Settings): Retention {
  const seconds = (days: Readonly<Record<DataClass, number>>) =>
    Object.fromEntries(dataClasses.map((each) => [each, days[each] * secondsADay])) as Record<DataClass, number>;
  return { usualSeconds: seconds(contents.days), mostSeconds: seconds(contents.daysMax) };
}

/** What is kept of requests and answers, and who keeps it in order. */
export async function contentsIn(
  options: BootOptions,
  folder: DataFolder,
  { store, audit, ids }: { readonly store: Store; readonly audit: AuditLog; readonly ids: Ids },
  stops: Stops,
): Promise<Contents> {
  const { settings, clock, log, randomBytes } = options;
  const { bytesMax, waitingBytesMax } = settings.contents;
  const contents = await openContents({
    db: store.db,
    clock,
    ids,
    randomBytes,
    keysFolder: join(folder.path, "content-keys"),
    spoolFolder: join(folder.path, "contents"),
    encryptionOf: encryptionsOf(options, folder),
    bytesMax,
    waitingBytesMax,
    onLost: async (lost) => {
      log.warn({ requests: lost.reduce((sum, { requests }) => sum + requests, 0) }, "content was not kept");
      await tellLost(audit, ids, lost);
    },
    onFailure: (error) => log.warn({ reason: messageOf(error) }, "stored content waits for what it needs"),
  });
  stops.push(() => contents.close());
  return contents;
}

/** The tenant reads in its audit log what it does not find among its contents. */
async function tellLost(audit: AuditLog, ids: Ids, lost: readonly Lost[]): Promise<void> {
  for (const { organisation, project, reason, requests } of lost) {
    await audit.append({
      request: ids.mint("req"),
      actor: { kind: "system", name: "contents" },
      action: "contentNotKept",
      outcome: "done",
      code: null,
      organisation,
      project,
      object: null,
      changes: { requests: [null, requests], reason: [null, reason] },
    });
  }
}

/** What wraps each organisation's keys: its own key, else Vault, else the installation's file. */
function encryptionsOf(options: BootOptions, folder: DataFolder): (organisation: string) => KeyEncryption {
  const { contents } = options.settings;
  const usual = usualEncryption(options, folder);
  const own = new Map(
    contents.tenantKeys.map(({ organisation, keyFile }) => [organisation, fileOf(options, resolve(keyFile), false)]),
  );
  return (organisation) => own.get(organisation) ?? usual;
}

function usualEncryption(options: BootOptions, folder: DataFolder): KeyEncryption {
  const { keyFile, vault } = options.settings.contents;
  if (vault === undefined) {
    const path = keyFile === undefined ? join(folder.path, "content-encryption-key") : resolve(keyFile);
    return fileOf(options, path, keyFile === undefined);
  }
  return vaultKeyEncryption({ url: vault.url, key: vault.key, token: secretsOf(options).vaultToken! });
}

function fileOf({ randomBytes }: BootOptions, path: string, isMade: boolean): KeyEncryption {
  try {
    return fileKeyEncryption(path, randomBytes, isMade);
  } catch (error) {
    throw new Failed(
      `The key for stored content cannot be used: ${messageOf(error)}.`,
      "Put the key back that was there: nothing that was kept opens without it. A new one has 64 hexadecimal digits.",
    );
  }
}
