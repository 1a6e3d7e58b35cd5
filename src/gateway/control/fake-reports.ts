import type { ReportOperations } from "./operations.ts";

/** Reports that say what they were asked: for tests of what asks for them. */
export function createFakeReports(): ReportOperations {
  return {
    sovereignty: (period) => Promise.resolve({ report: "sovereignty", ...period }),
    processing: (organisation, period) => Promise.resolve({ report: "processing", organisation, ...period }),
    transfers: (question, period) => Promise.resolve({ report: "transfers", ...question, ...period }),
    subProcessors: (since) => Promise.resolve({ report: "sub-processors", since }),
    revenue: (question) => Promise.resolve({ report: "revenue", ...question }),
    jurisdiction: () => ({ report: "jurisdiction" }),
    aiActLog: (project, period, page) => {
      const [items, next] = page.after === undefined ? [[{ line: "request" }], "rest"] : [[{ line: "refusal" }], null];
      return Promise.resolve({ opening: { line: "opening", project, ...period }, items, next });
    },
  };
}
