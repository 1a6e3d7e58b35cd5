import type { JurisdictionReport } from "../jurisdiction.ts";
import type { ProcessingReport } from "../processing.ts";
import type { SovereigntyReport } from "../sovereignty.ts";
import type { SubProcessorsReport } from "../sub-processors.ts";
import type { TransfersReport } from "../transfers.ts";
import { jurisdictionPage } from "./jurisdiction-page.ts";
import { processingPage } from "./processing-page.ts";
import { sovereigntyPage } from "./sovereignty-page.ts";
import { subProcessorsPage } from "./sub-processors-page.ts";
import { transfersPage } from "./transfers-page.ts";

export type Report = SovereigntyReport | ProcessingReport | TransfersReport | SubProcessorsReport | JurisdictionReport;

/** A report as one HTML file: of the report alone, so that the same report is the same bytes. */
export function renderReport(report: Report): string {
  switch (report.report) {
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
