import type { Kysely } from "kysely";
import { type OrganisationId, refuse, type Refusal, RefusalError } from "../base/index.ts";
import { type Buyer, type Parties, readBuyer } from "../invoicing/index.ts";
import { nameOf } from "./organisations.ts";
import { type Database, findParty, setParty } from "../store/index.ts";
import type { BooksContext } from "./context.ts";

/** Who an organisation is on its invoices; null: nobody has said so. */
export async function partyOf({ db }: BooksContext, organisation: OrganisationId): Promise<Buyer | null> {
  return (await keptParty(db, organisation)) ?? null;
}

/** Says who an organisation is, for invoices that are issued from here on. */
export async function applyParty(
  { db, clock }: BooksContext,
  organisation: OrganisationId,
  document: object,
  by: string,
): Promise<Buyer | Refusal> {
  const read = readBuyer(organisation, document);
  if (read.outcome === "invalid") {
    const reasons = read.problems.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
    return refuse("invalid_request", `The party is not valid: ${reasons[0]}.`, { param: "party", reasons });
  }
  await setParty(db, { organisation, party: JSON.stringify(read.buyer), by, nowMs: clock.nowMs() });
  return read.buyer;
}

async function keptParty(db: Kysely<Database>, organisation: OrganisationId): Promise<Buyer | undefined> {
  const kept = await findParty(db, organisation);
  return kept === undefined ? undefined : (JSON.parse(kept) as Buyer);
}

/** Seller and buyer of an invoice; throws a refusal that names what nobody has said. */
export async function partiesFor(
  { issuer: { seller, ...issuer } }: BooksContext,
  db: Kysely<Database>,
  organisation: OrganisationId,
): Promise<Parties> {
  const buyer = await keptParty(db, organisation);
  if (seller !== undefined && buyer !== undefined) return { ...issuer, seller, buyers: [buyer] };
  const missing = [
    ...(seller === undefined ? ["the seller (setting `billing.seller`)"] : []),
    ...(buyer === undefined ? [`the party of ${await nameOf(db, organisation)} (\`organisation party set\`)`] : []),
  ];
  throw new RefusalError(refuse("invoice_incomplete", `What is missing: ${missing.join(", and ")}.`));
}
