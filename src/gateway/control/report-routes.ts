import { z } from "zod";
import { instant, page, pageOf, reference } from "./fields.ts";
import type { ReportOperations } from "./operations.ts";
import { route, type Route } from "./route.ts";
import { aiActLog, report } from "./wire.ts";

const shared = { permission: "operator", group: "Reports", method: "GET" } as const;

const period = {
  from: instant.optional().meta({ description: "The first moment; left out: 30 days before `to`." }),
  to: instant.optional().meta({ description: "The moment that is not in it any more; left out: now." }),
};

function periodOf({ from, to }: { readonly from?: string | undefined; readonly to?: string | undefined }) {
  return { from, to };
}

/** What an operator has to show of its cloud, as JSON: pages are made of it by whoever asks. */
export function reportRoutes(reports: ReportOperations): readonly Route[] {
  return [
    route(
      {
        ...shared,
        path: "/reports/sovereignty",
        name: "reportSovereignty",
        summary: "How far the cloud answers the Commission's Cloud Sovereignty Framework, criterion by criterion.",
        query: z.strictObject(period),
        answer: report,
      },
      ({ query }) => reports.sovereignty(periodOf(query)),
    ),
    route(
      {
        ...shared,
        path: "/reports/processing",
        name: "reportProcessing",
        summary: "The record of processing for one organisation (GDPR, art. 30(2)). It names no other.",
        query: z.strictObject({ organisation: reference, ...period }),
        answer: report,
      },
      ({ query }) => reports.processing(query.organisation, periodOf(query)),
    ),
    route(
      {
        ...shared,
        path: "/reports/transfers",
        name: "reportTransfers",
        summary: "What was placed outside an area, to whom, under which law and on which basis.",
        query: z.strictObject({
          organisation: reference.optional(),
          area: z
            .string()
            .min(2)
            .max(60)
            .toUpperCase()
            .default("EEA")
            .meta({ description: "A country, a group, EU or EEA." }),
          ...period,
        }),
        answer: report,
      },
      ({ query }) => reports.transfers({ area: query.area, organisation: query.organisation }, periodOf(query)),
    ),
    route(
      {
        ...shared,
        path: "/reports/sub-processors",
        name: "reportSubProcessors",
        summary: "The sub-processors that the facts list, and what has changed of them since a moment.",
        query: z.strictObject({ since: instant.optional() }),
        answer: report,
      },
      ({ query }) => reports.subProcessors(query.since),
    ),
    route(
      {
        ...shared,
        path: "/reports/revenue",
        name: "reportRevenue",
        summary: "A quarter's revenue as a listed cloud discloses it: figures, definitions, and what was posted.",
        query: z.strictObject({
          quarter: z
            .string()
            .regex(/^20\d{2}Q[1-4]$/, "a quarter of a calendar year from 2000 to 2099, such as 2026Q1")
            .meta({ description: "A quarter of a calendar year." }),
          currency: z
            .string()
            .regex(/^[A-Z]{3}$/, "a currency of ISO 4217")
            .optional()
            .meta({ description: "Left out: the price book's." }),
        }),
        answer: report,
      },
      ({ query }) => reports.revenue({ quarter: query.quarter, currency: query.currency }),
    ),
    route(
      {
        ...shared,
        path: "/reports/jurisdiction",
        name: "reportJurisdiction",
        summary:
          "The law that each service's infrastructure is subject to, and the measures against access by others (Data Act, art. 28). `/.well-known/bailiwick/jurisdiction` publishes it.",
        answer: report,
      },
      () => Promise.resolve(reports.jurisdiction()),
    ),
    route(
      {
        ...shared,
        path: "/reports/ai-act-log",
        name: "exportAiActLog",
        summary:
          "A project's requests and refusals of a period, for a tenant whose own system is high-risk (AI Act, art. 12, 19, 26(6)).",
        query: z.strictObject({ project: reference, ...period, ...page }),
        answer: aiActLog,
      },
      ({ query }) => reports.aiActLog(query.project, periodOf(query), pageOf(query)),
    ),
  ];
}
