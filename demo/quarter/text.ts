import type { Told } from "./quarter.ts";

/** For people. */
export function printedQuarter(told: Told): string {
  const { quarter, served, tokens, net, tax, gross, currency, invoices, creditNotes, written, figures, steps, unmet } =
    told;
  const number = (value: number): string => value.toLocaleString("en-US");
  return [
    "",
    `${quarter}: ${served} requests served by a cloud whose clock was put back to the quarter's last day, and usage of 50 customers`,
    "",
    `tokens metered   ${number(tokens.metered).padStart(16)}`,
    `       invoiced  ${number(tokens.invoiced).padStart(16)}`,
    `       unbilled  ${number(tokens.unbilled).padStart(16)}`,
    `       unrated   ${number(tokens.unrated).padStart(16)}`,
    "",
    `${invoices} invoices, ${creditNotes} credit notes: net ${net}, tax ${tax}, gross ${gross} ${currency}`,
    "",
    ...figures,
    "",
    ...written.checks.map(({ what, outcome, words }) => `${outcome.padEnd(7)} ${what}: ${words}`),
    "",
    ...steps.map(({ command, words }) => `bailiwick ${command}\n  ${words}`),
    "",
    ...(unmet.length === 0 ? ["Everything came as it has to."] : unmet.map((each) => `UNMET ${each}`)),
    "",
  ].join("\n");
}
