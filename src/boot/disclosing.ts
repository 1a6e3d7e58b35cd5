import { refuse, type Refusal } from "../base/index.ts";
import {
  type JurisdictionReport,
  jurisdictionReport,
  type LiveDestination,
  type LiveProject,
  type LiveState,
  logOpening,
  type Period,
  type PlacedSum,
  processingReport,
  type Recorded,
  renderReport,
  sovereigntyReport,
  subProcessorsReport,
  transfersReport,
} from "../disclosure/index.ts";
import type { Operations } from "../gateway/index.ts";
import { type Candidate, checkProcessing, factsDigest, noFacts, parseFacts, type Question } from "../policy/index.ts";
import { factsBefore, ranReport, type RanSum, refusalsKept } from "../store/index.ts";
import { logPage } from "./disclosed-log.ts";
import type { OperationParts } from "./parts.ts";
import { reportRevenue } from "./revenue.ts";

type ReportOperations = Operations["reports"];
type Written = Record<string, unknown>;

/** Groups of requests that one report is made of; a report says how many requests are in others. */
const groupsMost = 10_000;
const projectsMost = 1_000_000;
const usualDays = 30;
const shippingWaitMs = 10_000;

/** Gathers what reports are computed from, and computes them. */
export function createReports(parts: OperationParts): ReportOperations {
  const { tenancy, store } = parts;
  const jurisdiction = createJurisdiction(parts);
  return {
    async sovereignty(asked) {
      const period = periodOf(asked, parts);
      if ("outcome" in period) return period;
      return told(sovereigntyReport(heldState(parts), await recordedIn(period, undefined, parts)));
    },
    async processing(reference, asked) {
      const period = periodOf(asked, parts);
      if ("outcome" in period) return period;
      const organisation = await tenancy.showOrganisation(reference);
      if ("outcome" in organisation) return organisation;
      const { id, name } = organisation;
      const projects = await projectsOf(id, parts);
      if ("outcome" in projects) return projects;
      const recorded = await recordedIn(period, id, parts);
      return told(processingReport({ ...heldState(parts), projects }, recorded, { id, name }));
    },
    async transfers({ area, organisation: reference }, asked) {
      const period = periodOf(asked, parts);
      if ("outcome" in period) return period;
      const checked = checkProcessing(area, parts.cloud.inForce.policy.standing().groups);
      if (checked.outcome === "unknown")
        return refuse("invalid_request", `${checked.message}.`.replace("?.", "?"), { param: "area" });
      const organisation = reference === undefined ? null : await tenancy.showOrganisation(reference);
      if (organisation !== null && "outcome" in organisation) return organisation;
      const of = organisation === null ? null : { id: organisation.id, name: organisation.name };
      const recorded = await recordedIn(period, of?.id, parts);
      return told(transfersReport(heldState(parts), recorded, { area: checked.code, organisation: of }));
    },
    async subProcessors(since) {
      const state = heldState(parts);
      if (since === undefined) return told(subProcessorsReport(state, null));
      const found = await factsBefore(store.db, new Date(since));
      const named = found === undefined ? undefined : { version: found.version, sha256: found.sha256 };
      const facts = found === undefined ? noFacts : factsOf(found.body);
      if (facts === undefined) {
        const message = `Version ${named?.version} of the facts, which held then, cannot be read by this release.`;
        return refuse("document_invalid", message, { param: "since" });
      }
      const none = { version: 0, sha256: factsDigest(noFacts) };
      return told(subProcessorsReport(state, { since: new Date(since).toISOString(), named: named ?? none, facts }));
    },
    async revenue(question) {
      const report = await reportRevenue(question, parts);
      return "outcome" in report ? report : told(report);
    },
    jurisdiction: () => told(jurisdiction.report()),
    async aiActLog(reference, asked, page) {
      const period = periodOf(asked, parts);
      if ("outcome" in period) return period;
      const project = await tenancy.showProject(reference);
      if ("outcome" in project) return project;
      await parts.shipper.caughtUp(shippingWaitMs);
      const { release, installation, keeping, atMs } = heldState(parts);
      const at = new Date(atMs).toISOString();
      const opening = logOpening({
        project,
        period,
        at,
        release,
        installation,
        keptDays: keeping.receiptDays,
        refusalsKept,
      });
      return { opening: told(opening), ...(await logPage(store, project.id, period, page)) };
    },
  };
}

const jurisdictionKeptMs = 1_000;

/**
 * The report on jurisdiction, which is public: from memory, so that whoever asks for it asks no database, and made once a
 * second at most, so that asking often costs nothing.
 */
export function createJurisdiction(parts: OperationParts) {
  const { clock } = parts.cloud;
  let kept: { readonly report: JurisdictionReport; readonly page: string; readonly atMs: number } | undefined;
  const held = () => {
    const nowMs = clock.monotonicMs();
    if (kept === undefined || nowMs - kept.atMs >= jurisdictionKeptMs) {
      const report = jurisdictionReport(heldState(parts));
      kept = { report, page: renderReport(report), atMs: nowMs };
    }
    return kept;
  };
  return { report: () => held().report, page: () => held().page };
}

function factsOf(body: string) {
  const parsed = parseFacts(JSON.parse(body));
  return parsed.outcome === "parsed" ? parsed.facts : undefined;
}

/** A report as the control API hands it on: JSON of which it knows no shape. */
function told(report: object): Written {
  return report as Written;
}

function periodOf(asked: Parameters<ReportOperations["sovereignty"]>[0], { cloud }: OperationParts): Period | Refusal {
  const to = asked.to === undefined ? cloud.clock.nowMs() : Date.parse(asked.to);
  const from = asked.from === undefined ? to - usualDays * 86_400_000 : Date.parse(asked.from);
  const period = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  if (from < to) return period;
  const message = `The period ends (\`to\`: ${period.to}) before it begins, or when it does (\`from\`: ${period.from}).`;
  return refuse("invalid_request", message, { param: "to" });
}

async function recordedIn(
  { from, to }: Period,
  organisation: string | undefined,
  { shipper, store }: OperationParts,
): Promise<Recorded> {
  const isComplete = await shipper.caughtUp(shippingWaitMs);
  const question = { from: new Date(from), to: new Date(to), organisation, groups: groupsMost };
  const { sums, leftOut } = await ranReport(store.db, question);
  return { from, to, sums: sums.map(placedSum), leftOut, isComplete };
}

function placedSum({ body, organisationName, projectName, ...sum }: RanSum): PlacedSum {
  const kept =
    body === null ? null : (JSON.parse(body) as { question: Question; candidates: readonly Candidate[] } | null);
  return {
    ...sum,
    organisation: { id: sum.organisation, name: organisationName ?? sum.organisation },
    project: { id: sum.project, name: projectName ?? sum.project },
    asked:
      kept === null
        ? null
        : {
            dataClass: kept.question.narrowing?.dataClass ?? kept.question.project.dataClass,
            legalBasis: kept.question.narrowing?.legalBasis ?? kept.question.legalBasis ?? null,
            candidates: kept.candidates,
          },
  };
}

/** An organisation's projects, whole. */
async function projectsOf(
  organisation: string,
  { tenancy }: OperationParts,
): Promise<readonly LiveProject[] | Refusal> {
  const listed = await tenancy.listProjects({ organisation }, { limit: projectsMost, after: undefined });
  if ("outcome" in listed) return listed;
  return listed.items.map(({ id, name, organisation: of, dataClass, processing, storage, regimes }) => {
    return { id, name, organisation: of, dataClass, processing, storage, regimes };
  });
}

/** What is in memory: all but the tenants. */
function heldState(parts: OperationParts): LiveState {
  const { cloud, settings, sequencing } = parts;
  const { versions, digests, facts } = cloud.inForce;
  const { state, size, witnesses } = sequencing.status();
  return {
    atMs: cloud.clock.nowMs(),
    release: parts.version,
    installation: parts.folder.installation,
    factsNamed: { version: versions.facts, sha256: digests.facts },
    policiesNamed: { version: versions.policies, sha256: digests.policies },
    facts,
    gatewaySite: { ...settings.site, jurisdiction: settings.site.jurisdiction },
    database:
      settings.database.url === undefined && settings.database.urlEnvironment === undefined ? "embedded" : "external",
    destinations: cloud.destinations.all.map(liveDestination),
    projects: [],
    log: {
      state,
      entries: size,
      witnesses: witnesses.map((witness) => ({ name: witness.name, hasCosigned: witness.size !== null })),
    },
    signingKeysActive: sequencing.statedKeys().filter(({ status }) => status === "active").length,
    keeping: {
      content: Object.values(settings.contents.daysMax).some((days) => days > 0),
      tenantKeys: settings.contents.tenantKeys.length > 0,
      // Usage and receipts go by erasure, and by no clock.
      receiptDays: null,
    },
    declared: declaredOf(settings.disclosure),
  };
}

function liveDestination(destination: OperationParts["cloud"]["destinations"]["all"][number]): LiveDestination {
  const { name, kind, site, engine, pool } = destination;
  return {
    name,
    kind,
    site,
    engine: { name: engine.name, build: engine.build },
    models: [...destination.offers()].map(({ model, sha256, endpoints }) => ({
      name: model,
      sha256: sha256 ?? null,
      endpoints: [...endpoints],
    })),
    device: pool?.pool.device.name,
  };
}

function declaredOf({
  processor,
  controller,
  measures,
}: OperationParts["settings"]["disclosure"]): LiveState["declared"] {
  const { name = null, contact = null, representative = null, dataProtectionOfficer = null } = processor;
  return { processor: { name, contact, representative, dataProtectionOfficer }, controller, measures };
}
