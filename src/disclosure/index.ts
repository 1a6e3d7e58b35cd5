/**
 * disclosure: what an operator has to show of its cloud: how far it answers the Commission's Cloud Sovereignty Framework,
 * the record of processing for a tenant, transfers, sub-processors, the law of each service, a log for tenants whose
 * systems are high-risk, revenue as a listed cloud discloses it; and their pages. Owns what each report says and how it is computed. Does not own: gathering the
 * state (boot), what facts mean and who may be where (policy), tables. Invariants: a report is a pure function of the state
 * and the time, and its page of the report alone; nothing is marked by a scale of our own; evidence that does not count is
 * in no answer; a record for one tenant names no other; whatever a name holds, a page only shows it.
 */
export type { About } from "./about.ts";
export { logEnd, type LogEntry, type LoggedRefusal, type LoggedRequest, logOpening } from "./ai-act-log.ts";
export { renderReport, type Report } from "./page/render.ts";
export { type JurisdictionReport, jurisdictionReport } from "./jurisdiction.ts";
export type { Declared, LiveDestination, LiveProject, LiveState, Period, PlacedSum, Recorded } from "./live-state.ts";
export { type ProcessingReport, processingReport } from "./processing.ts";
export { packedLedgerName, packFiles } from "./pack/pack.ts";
export { revenuePdf } from "./pdf/revenue-pdf.ts";
export type { RevenueCharts } from "./page/revenue-page.ts";
export { type RevenueReport, revenueReport } from "./revenue/revenue.ts";
export type { MonthStanding, RevenueLine } from "./revenue/state.ts";
export { type SovereigntyReport, sovereigntyReport } from "./sovereignty.ts";
export { type Earlier, type SubProcessorsReport, subProcessorsReport } from "./sub-processors.ts";
export { type TransfersReport, transfersReport } from "./transfers.ts";
