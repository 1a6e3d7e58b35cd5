import { z } from "zod";
import { tiers } from "../../base/index.ts";
import { keyRights } from "./rights-wire.ts";
import { dataClass, decimal, exported, limits, listOf } from "./fields.ts";

// What the control API answers. A member that is not named here never leaves, whatever a store hands over.

const named = z.object({ id: z.string(), name: z.string() });

export const organisation = named.extend({
  prepaid: z.boolean().meta({ description: "Whether it runs nothing that its wallet cannot pay for." }),
  createdAt: z.string(),
  limits,
});

export const project = named.extend({
  organisation: named,
  dataClass,
  processing: z.array(z.string()),
  storage: z.array(z.string()).nullable().meta({ description: "Null: where it may be processed." }),
  regimes: z.array(z.string()).nullable().meta({ description: "Null: those of its data class." }),
  country: z.string().nullable(),
  exported: exported.nullable(),
  unsupported: z.enum(["refuse", "warn"]),
  tier: z.enum(tiers),
  weight: z.int(),
  keepContentSeconds: z
    .int()
    .nullable()
    .meta({ description: "For how long what is asked and answered is kept; null: it is not." }),
  digestKey: z.string().meta({ description: "The id of the key that digests in its receipts are salted with." }),
  createdAt: z.string(),
  limits,
});

export const key = named.extend({
  project: named,
  organisation: named,
  createdAt: z.string(),
  revokedAt: z.string().nullable(),
  ...keyRights,
  limits,
});

export const erasedDigestKey = z.object({
  project: named,
  erased: z.string().meta({ description: "The id of the key that is gone." }),
  digestKey: z.string().meta({ description: "The id of the key that digests are salted with from now on." }),
});

const warnings = z.array(z.string()).meta({ description: "What is odd about what was asked for, though it was done." });

export const changedOrganisation = organisation.extend({ warnings });
export const changedProject = project.extend({ warnings });
export const changedKey = key.extend({ warnings });
export const createdKey = changedKey.extend({
  key: z.string().meta({ description: "The secret. It is shown this once: only its digest is kept." }),
});

export const usageRow = z.object({
  organisation: z.string(),
  project: z.string(),
  key: z.string(),
  model: z.string(),
  day: z.string().meta({ description: "UTC." }),
  requests: z.int(),
  inputTokens: z.int().meta({ description: "All input tokens, the cached ones included." }),
  cachedInputTokens: z.int(),
  outputTokens: z.int(),
  unrated: z.int().meta({ description: "Requests whose usage nobody could prove; they are not in `amount`." }),
  amount: decimal,
  currency: z.string().meta({ description: "Empty where no price was ever known." }),
});

export const site = z.object({ name: z.string(), jurisdiction: z.string().nullable() });
export const reservation = z.object({
  id: z.string(),
  project: named,
  organisation: named,
  device: z.string().nullable().meta({ description: "Null where a share of the pool is reserved." }),
  share: z.number().nullable(),
  from: z.string(),
  until: z.string().meta({ description: "As it was agreed; this moment is not in it." }),
  endedAt: z.string().nullable().meta({ description: "When it was ended before its time." }),
  state: z.enum(["upcoming", "active", "ended"]),
  note: z.string().nullable(),
  createdAt: z.string(),
});

export const createdReservation = reservation.extend({ warnings });

export const reservationUsageRow = z.object({
  reservation: z.string(),
  organisation: z.string(),
  project: z.string(),
  device: z.string().nullable(),
  share: z.number().nullable(),
  hours: decimal.meta({ description: "A decimal string. What they cost comes beside it once they have prices." }),
});

export const hostToken = z.object({
  id: z.string(),
  site: z.string(),
  state: z.enum(["open", "used", "expired", "revoked"]),
  createdAt: z.string(),
  expiresAt: z.string(),
  host: z.string().nullable().meta({ description: "The host that joined with it." }),
});

export const createdHostToken = hostToken.extend({
  token: z.string().meta({ description: "The token. It is shown this once: only a digest is kept." }),
  url: z.string().meta({ description: "Where this gateway listens for machines that join." }),
});

export const host = z.object({
  id: z.string(),
  site,
  state: z.enum(["ready", "away", "revoked"]),
  reason: z.string().nullable().meta({ description: "Why it takes nothing new at the moment." }),
  key: z.string().meta({ description: "The SHA-256 of its public key (SPKI), as base64url." }),
  address: z.string(),
  joinedAt: z.string(),
  revokedAt: z.string().nullable(),
  clockSkewMs: z.int().nullable().meta({ description: "How far its clock is ahead of the gateway's." }),
  heardAgoMs: z.int().nullable(),
  device: z.string().nullable(),
  models: z.array(z.string()),
  otherModels: z
    .array(z.string())
    .meta({ description: "Models that it has under names that mean others here; they are not used." }),
});

export const price = z.object({
  version: z.string(),
  currency: z.string(),
  inputPerMillion: decimal,
  cachedInputPerMillion: decimal,
  outputPerMillion: decimal,
  reasoningPerMillion: decimal,
});

/** Of a model that was to be served. */
const fault = z.object({
  code: z.string(),
  message: z.string(),
  next: z.string().meta({ description: "What to do about it." }),
});

export const modelFault = fault.extend({ model: z.string() });

export const destination = z.object({
  name: z.string(),
  kind: z.enum(["host", "upstream"]),
  site,
  engine: z.object({ name: z.string(), build: z.string() }),
  ready: z.boolean(),
  reason: z.string().nullable().meta({ description: "Why it is not ready." }),
  running: z.int().meta({ description: "Requests in flight." }),
  models: z.array(
    z.object({
      name: z.string(),
      sha256: z.string().nullable(),
      contextTokens: z.int().nullable(),
      endpoints: z.array(z.string()),
    }),
  ),
  faults: z.array(modelFault).meta({ description: "Models that it was to serve and cannot." }),
});

export const catalogueModel = z.object({
  name: z.string(),
  family: z.string(),
  developer: z.object({ name: z.string(), country: z.string().nullable() }),
  licence: z.object({ spdx: z.string(), url: z.string().nullable(), clause: z.string().nullable() }),
  contextTokens: z.int(),
  sizeBytes: z.number().nullable(),
  sha256: z.string().nullable(),
  sources: z.array(z.string()),
  origin: z.enum(["shipped", "settings", "added"]).meta({ description: "Who listed it." }),
  state: z.enum(["absent", "verified", "unverified"]).meta({
    description:
      "absent: not on this machine; verified: its file's digest is the catalogue's; unverified: recorded at its pull.",
  }),
});

export const model = catalogueModel.extend({
  served: z.boolean().meta({ description: "Whether a destination offers it now." }),
  faults: z
    .array(fault.extend({ host: z.string() }))
    .meta({ description: "Hosts that were to serve it, with why they cannot." }),
  price: price.nullable(),
});

/** One line of a pull. The last one is `done` or `failed`. */
export const pullLine = z.discriminatedUnion("event", [
  z.object({
    event: z.literal("progress"),
    phase: z.enum(["waiting", "downloading", "unpacking", "checking"]),
    source: z.string(),
    receivedBytes: z.number(),
    totalBytes: z.number().nullable(),
  }),
  z.object({
    event: z.literal("done"),
    model: catalogueModel,
    downloaded: z.boolean().meta({ description: "False where the file was there already." }),
    failures: z.array(z.string()).meta({ description: "Why earlier sources did not give the file." }),
  }),
  z.object({
    event: z.literal("failed"),
    error: z.object({
      code: z.string(),
      message: z.string(),
      next: z.string(),
      retry: z.boolean(),
      reasons: z.array(z.string()),
    }),
  }),
]);

export const removedModel = z.object({ model: z.string(), fileRemoved: z.boolean(), entryRemoved: z.boolean() });

const logState = z
  .enum(["open", "full", "failed", "damaged", "missing", "ahead"])
  .meta({ description: "open: it follows the journal; full, failed: it goes on by itself; else it waits for you." });

/** The transparency log in full. */
export const logStatus = z.object({
  state: logState,
  reason: z.string().nullable(),
  next: z.string().nullable(),
  origin: z.string().meta({ description: "Its name, which its checkpoints begin with." }),
  size: z.int().meta({ description: "Entries." }),
  keys: z.array(z.string()).meta({ description: "Verifier keys of those that sign now, the newest first." }),
  statement: z
    .object({ number: z.int(), index: z.int().nullable().meta({ description: "Null: not in the log yet." }) })
    .nullable()
    .meta({ description: "The newest statement about the keys." }),
  witnesses: z.array(
    z.object({
      name: z.string(),
      size: z.int().nullable().meta({ description: "Entries of the checkpoint that it cosigned last." }),
      problem: z.string().nullable(),
    }),
  ),
  ended: z.array(z.string()).meta({ description: "Logs before this one, by their names." }),
});

export const signingKey = z.object({
  id: z.string(),
  status: z.enum(["active", "retired", "revoked"]),
  since: z.string(),
  revoked: z.object({ log: z.string(), index: z.int().nullable() }).nullable(),
});
export const signingKeys = z.object({ items: z.array(signingKey) });

export const cloudStatus = z.object({
  version: z.string(),
  installation: z.string(),
  gateway: z.string(),
  url: z.string(),
  startedAt: z.string(),
  ready: z.boolean(),
  draining: z.boolean(),
  site,
  requestsInFlight: z.int(),
  database: z.object({ kind: z.enum(["embedded", "external"]), reachable: z.boolean() }),
  journal: z.object({ state: z.enum(["open", "full", "failed"]), unshippedRecords: z.int() }),
  destinations: z.object({ ready: z.int(), all: z.int() }),
  log: z.object({
    state: logState,
    reason: z.string().nullable().meta({ description: "Why it does not go on." }),
    next: z.string().nullable().meta({ description: "What to do about it." }),
    size: z.int(),
  }),
});

/** As it is shown: with what all budgets and prices are in. */
export const shownStatus = cloudStatus.extend({
  currency: z.string().nullable().meta({ description: "The price book's (ISO 4217); null where nothing has a price." }),
});

export const backup = z.object({
  path: z.string().meta({ description: "The finished backup, on the server's machine." }),
  sizeBytes: z.number(),
  takenAt: z.string(),
});

const deciding = z.object({
  policy: z.string(),
  effect: z.enum(["permit", "forbid"]),
  article: z.string().meta({ description: "Where it comes from; `none`: the choice of a tenant or the operator." }),
});

export const explanation = z.object({
  project: named,
  model: z.string().nullable().meta({ description: "Null: whatever runs there." }),
  action: z.string(),
  dataClass: z.string(),
  processing: z.array(z.string()),
  regimes: z.array(z.string()).meta({ description: "Those that hold for it." }),
  outcome: z.enum(["permitted", "refused"]),
  candidates: z.array(
    z.object({
      kind: z
        .enum(["host", "upstream", "site"])
        .meta({ description: "`site`: one of the facts at which nothing runs." }),
      destination: z.string(),
      site,
      permitted: z.boolean(),
      ready: z.boolean(),
      reason: z.string(),
      deciding: z.array(deciding).meta({ description: "Empty where nothing permits it." }),
    }),
  ),
  policyDigest: z.string().nullable(),
});

export const networkConnections = z.object({
  airGapped: z.boolean(),
  connections: z.array(
    z.object({
      purpose: z.enum(["upstream", "host", "database", "keys", "witness", "timestamp", "alerts", "models"]),
      name: z.string(),
      host: z.string().nullable().meta({ description: "Null: it is not known here, or a socket on this machine." }),
      port: z.int().nullable(),
      site: site.nullable(),
      carries: z.string().meta({ description: "What reaches it." }),
      projectCount: z.int().meta({ description: "Projects whose requests policy permits there." }),
      projects: z.array(named.extend({ dataClass: z.string() })).meta({ description: "The first hundred of these." }),
    }),
  ),
});

export const refusal = z.object({
  at: z.string(),
  request: z.string().nullable(),
  code: z.string(),
  message: z.string(),
  organisation: z.string().nullable(),
  project: z.string().nullable(),
  key: z.string().nullable(),
  model: z.string().nullable(),
  endpoint: z.string().nullable(),
  reasons: z.array(z.string()).meta({ description: "Each candidate's, where a choice among several failed." }),
});

const written = z.record(z.string(), z.unknown());
const policyFile = z.object({ name: z.string(), text: z.string() });

export const version = z.object({
  version: z.int().meta({ description: "0: none was ever applied, and what is shipped holds." }),
  sha256: z.string(),
  by: z.string().nullable(),
  at: z.string().nullable(),
  note: z.string().nullable(),
});

export const facts = version.extend({
  document: written.meta({ description: "As it was applied." }),
  warnings: z.array(z.string()).meta({ description: "In what settings and facts contradict each other." }),
});

export const policies = version.extend({
  files: z.array(policyFile).meta({ description: "The operator's own." }),
  document: written,
  shipped: z.array(policyFile.extend({ isReplaced: z.boolean() })).meta({
    description: "Those of this release; a file of the operator's stands in the place of one of its name.",
  }),
  warnings: z.array(z.string()).meta({ description: "What is valid and can hardly be meant, with its place." }),
});

const deadline = z.object({
  tier: z.enum(tiers).nullable().meta({ description: "Null: nobody noted it." }),
  ttftMs: z.int().nullable().meta({ description: "What its tier promised then; null: nobody noted it." }),
  tpotMs: z.int().nullable(),
  requests: z.int(),
  outputTokens: z.number().meta({ description: "Of the requests whose tokens are known." }),
  uncounted: z.int().meta({ description: "Requests whose tokens are not known." }),
});

const placement = z.object({
  project: z.object({ id: z.string(), name: z.string(), organisation: z.string() }),
  question: written.nullable().meta({ description: "What was asked of policy; null: nothing was kept of it." }),
  candidates: z.array(written),
  ranAt: z.string().nullable().meta({ description: "A host's id, or an upstream's name; null: refused." }),
  missing: z.enum(["earlier_release", "not_kept"]).nullable().meta({ description: "Why it cannot be replayed." }),
  requests: z.int(),
  unrated: z.int().meta({ description: "Requests without an amount; they are not in `amount`." }),
  amount: decimal,
  currency: z.string().nullable(),
  deadlines: z.array(deadline).meta({ description: "By what its requests were due; empty: they were refused." }),
});

export const placements = z.object({
  since: z.string(),
  items: z.array(placement).meta({ description: "The largest first." }),
  leftOut: z.int().meta({ description: "Requests in smaller groups than those that are answered." }),
});

/** A report as docs/reference/reports.md describes it. */
export const report = written;

export const aiActLog = z.object({
  opening: written.meta({ description: "The log's first line." }),
  items: z.array(written).meta({ description: "Lines of it, requests first, then refusals." }),
  next: z.string().nullable(),
});

export const versions = listOf(version);
export const organisations = listOf(organisation);
export const projects = listOf(project);
export const keys = listOf(key);
export const usageRows = listOf(usageRow);
export const reservations = listOf(reservation);
export const reservationUsage = listOf(reservationUsageRow);
export const hostTokens = listOf(hostToken);
export const hosts = listOf(host);
export const models = listOf(model);
export const destinations = listOf(destination);
export const refusals = listOf(refusal);

export type Organisation = z.output<typeof organisation>;
export type Project = z.output<typeof project>;
export type Key = z.output<typeof key>;
export type ChangedOrganisation = z.output<typeof changedOrganisation>;
export type ChangedProject = z.output<typeof changedProject>;
export type ChangedKey = z.output<typeof changedKey>;
export type CreatedKey = z.output<typeof createdKey>;
export type UsageRow = z.output<typeof usageRow>;
export type Reservation = z.output<typeof reservation>;
export type CreatedReservation = z.output<typeof createdReservation>;
export type ReservationUsageRow = z.output<typeof reservationUsageRow>;
export type HostToken = z.output<typeof hostToken>;
export type CreatedHostToken = z.output<typeof createdHostToken>;
export type Host = z.output<typeof host>;
export type CatalogueModel = z.output<typeof catalogueModel>;
export type Model = z.output<typeof model>;
export type ModelPrice = z.output<typeof price>;
export type DestinationStatus = z.output<typeof destination>;
export type PullLine = z.output<typeof pullLine>;
export type CloudStatus = z.output<typeof cloudStatus>;
export type ShownStatus = z.output<typeof shownStatus>;
export type Backup = z.output<typeof backup>;
export type LogStatus = z.output<typeof logStatus>;
export type SigningKey = z.output<typeof signingKey>;
export type Explanation = z.output<typeof explanation>;
export type NetworkConnections = z.output<typeof networkConnections>;
export type Placements = z.output<typeof placements>;
export type Version = z.output<typeof version>;
export type Facts = z.output<typeof facts>;
export type Policies = z.output<typeof policies>;
export type RecordedRefusal = z.output<typeof refusal>;
