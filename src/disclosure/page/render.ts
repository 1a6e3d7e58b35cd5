import type { JurisdictionReport } from "../jurisdiction.ts";
import type { ProcessingReport } from "../processing.ts";
import type { RevenueReport } from "../revenue/revenue.ts";
import type { SovereigntyReport } from "../sovereignty.ts";
import type { SubProcessorsReport } from "../sub-processors.ts";
import type { TransfersReport } from "../transfers.ts";
import { jurisdictionPage } from "./jurisdiction-page.ts";
import { processingPage } from "./processing-page.ts";
import { type RevenueCharts, revenuePage } from "./revenue-page.ts";
import { sovereigntyPage } from "./sovereignty-page.ts";
import { subProcessorsPage } from "./sub-processors-page.ts";
import { transfersPage } from "./transfers-page.ts";

export type Report =
  | SovereigntyReport
  | ProcessingReport
  | TransfersReport
  | SubProcessorsReport
  | JurisdictionReport
  | RevenueReport;

/** A report as one HTML file: of the report alone (and pictures of it), so that the same report is the same bytes. */
export function renderReport(report: Report, charts?: RevenueCharts): string {
  switch (report.report) {
    case "revenue":
      return revenuePage(report, charts);
    case "sovereignty":
      return sovereigntyPage(report);
    case "processing":
      return processingPage(report);
    case "transfers":
      return transfersPage(report);
    case "sub-processors":
      return subProcessorsPage(report);
    default:
      return jurisdictionPage(report);
  }
}
