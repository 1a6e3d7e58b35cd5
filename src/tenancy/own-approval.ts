import type { Transaction } from "kysely";
import { type KeyPermission, openingPermissions, type OrganisationId, refuse, RefusalError } from "../base/index.ts";
import type { Database } from "../store/index.ts";

/**
 * For how long a key that approves goes on counting after it was revoked or has expired: whoever revokes it to make
 * another in its place leaves the tenant this time to read so in its audit log. A tenant that has lost it waits as long.
 */
const afterwardsMs = 7 * 86_400_000;

/**
 * Refuses an operator a key that opens an organisation's content, once the organisation can approve what opens it: by
 * throwing. The first such key has to come from somebody.
 */
export async function refuseOpening(
  transaction: Transaction<Database>,
  organisation: OrganisationId,
  permissions: readonly KeyPermission[],
  nowMs: number,
): Promise<void> {
  const asked = permissions.filter((permission) => openingPermissions.has(permission));
  if (asked.length === 0) return;
  const since = new Date(nowMs - afterwardsMs);
  const own = await transaction
    .selectFrom("keys")
    .innerJoin("projects", "projects.id", "keys.project")
    .select("keys.name")
    .where("projects.organisation", "=", organisation)
    .where((key) => key(key.val("grants"), "=", key.fn.any("keys.permissions")))
    .where((key) => key.or([key("keys.revokedAt", "is", null), key("keys.revokedAt", ">", since)]))
    .where((key) => key.or([key("keys.expiresAt", "is", null), key("keys.expiresAt", ">", since)]))
    .executeTakeFirst();
  if (own === undefined) return;
  const message =
    `A key that may ${asked.join(" and ")} is made by this organisation itself, with one of its own that may ` +
    `grants, such as ${own.name}: \`bailiwick key create --token-file FILE\`. Where none is left, an operator can ` +
    "make one seven days after the last was revoked or has expired.";
  throw new RefusalError(refuse("tenant_only", message, { param: "permissions" }));
}

/** Every gateway holds all keys in memory: a tenant fills it with so many of its own at most. */
const ownKeysMax = 200;

/** Refuses a tenant another key of its own making, where its organisation has many: by throwing. */
export async function refuseCrowd(transaction: Transaction<Database>, organisation: OrganisationId): Promise<void> {
  const { count } = await transaction
    .selectFrom("keys")
    .innerJoin("projects", "projects.id", "keys.project")
    .select(({ fn }) => fn.countAll<string>().as("count"))
    .where("projects.organisation", "=", organisation)
    .where("keys.revokedAt", "is", null)
    .executeTakeFirstOrThrow();
  if (Number(count) < ownKeysMax) return;
  const message = `This organisation has ${count} keys. Have those revoked that nobody uses; an operator can make more.`;
  throw new RefusalError(refuse("invalid_request", message));
}
