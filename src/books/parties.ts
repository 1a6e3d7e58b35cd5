import type { Kysely } from "kysely";
import { type OrganisationId, refuse, type Refusal, RefusalError } from "../base/index.ts";
import { type Buyer, type Issuer, type Parties, readBuyer } from "../invoicing/index.ts";
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

/** Who sells and who buys, as far as anybody has said so. */
export interface Sides {
  readonly seller: Issuer["seller"];
  readonly buyer: Buyer | undefined;
  /** Which of both is not known, and how it is said. */
  readonly missing: readonly string[];
}

export async function sidesOf(
  { issuer: { seller } }: BooksContext,
  db: Kysely<Database>,
  organisation: OrganisationId,
): Promise<Sides> {
  const buyer = await keptParty(db, organisation);
  const missing = [
    ...(seller === undefined ? ["the seller (setting `billing.seller`)"] : []),
    ...(buyer === undefined ? [`the party of ${await nameOf(db, organisation)} (\`organisation party set\`)`] : []),
  ];
  return { seller, buyer, missing };
}

/** Seller and buyer of an invoice; throws a refusal that names what nobody has said. */
export async function partiesFor(
  context: BooksContext,
  db: Kysely<Database>,
  organisation: OrganisationId,
): Promise<Parties> {
  const { seller, buyer, missing } = await sidesOf(context, db, organisation);
  if (seller !== undefined && buyer !== undefined) return { ...context.issuer, seller, buyers: [buyer] };
  throw new RefusalError(refuse("invoice_incomplete", missingText(missing)));
}

export function missingText(missing: readonly string[]): string {
  return `What is missing: ${missing.join(", and ")}.`;
}
