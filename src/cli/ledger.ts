import { type Command, Option } from "commander";
import type {
  Accounts,
  ClosedPeriod,
  LedgerPeriods,
  LedgerTransaction,
  Reasons,
  TrialBalance,
} from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { pathOf } from "./control-client.ts";
import type { Printer } from "./printer.ts";

type Options = CloudOptions & JsonOption;

export function addLedgerCommands(program: Command, context: CommandContext): void {
  const group = program.command("ledger").description("the double entry: what is owed, unbilled and earned");
  addPeriods(group, context);
  addAccounts(group, context);
  addWhy(group, context);
  addLedgerExport(group, context);
}

function addPeriods(group: Command, context: CommandContext): void {
  const { printer } = context;
  withJson(withCloud(group.command("periods").description("list the periods in which something was posted"))).action(
    async (options: Options) => {
      const { items } = await client(context, options).get<LedgerPeriods>("/ledger/periods");
      if (options.json === true) return printer.json(items);
      return printer.table<LedgerPeriods["items"][number]>(
        [
          { title: "PERIOD", text: ({ period }) => period },
          { title: "STATE", text: ({ state }) => state },
          { title: "ENDS", text: ({ endsAt }) => endsAt },
          {
            title: "CLOSED",
            text: ({ closedAt, closedBy }) => (closedAt === null ? "" : `${closedAt} by ${closedBy}`),
          },
        ],
        items,
        "Nothing was ever posted.",
      );
    },
  );
  withJson(
    withCloud(
      group
        .command("close <period>")
        .description("close a period that is over, for ever: its usage becomes draft invoices; such as 2026-03"),
    ),
  )
    .option(
      "--empty",
      "also where nothing was posted until its end, and none was closed: all until then counts as closed",
    )
    .action(async (period: string, options: Options & { empty?: boolean }) => {
      const cloud = client(context, options);
      const path = pathOf`/ledger/periods/${period}/close`;
      const closed = await cloud.sendPatiently<ClosedPeriod>(options.empty === true ? `${path}?empty=true` : path, {});
      printer.warnings(closed.warnings);
      if (options.json === true) return printer.json(closed);
      printer.text(`${closed.period} was closed at ${closed.closedAt} by ${closed.closedBy}.\n`);
      return printer.table<ClosedPeriod["totals"][number]>(
        [
          { title: "INVOICES", text: ({ invoices }) => String(invoices), align: "right" },
          { title: "NET", text: ({ net }) => net, align: "right" },
          { title: "TAX", text: ({ tax }) => tax, align: "right" },
          { title: "GROSS", text: ({ gross, currency }) => `${gross} ${currency}`, align: "right" },
          { title: "RESIDUAL", text: ({ residual }) => residual, align: "right" },
        ],
        closed.totals,
        "Nobody owes anything for it.",
      );
    });
}

function addAccounts(group: Command, context: CommandContext): void {
  const { printer } = context;
  withJson(withCloud(group.command("accounts").description("list the chart of accounts"))).action(
    async (options: Options) => {
      const { items } = await client(context, options).get<Accounts>("/ledger/accounts");
      if (options.json === true) return printer.json(items);
      return printer.table<Accounts["items"][number]>(
        [
          { title: "ACCOUNT", text: ({ account }) => account },
          { title: "KIND", text: ({ kind }) => kind },
        ],
        items,
        "",
      );
    },
  );
  withJson(
    withCloud(group.command("trial-balance").description("what each account has; debits and credits are the same")),
  )
    .option("--period <period>", "up to its end; default: all that was posted")
    .action(async (options: Options & { period?: string }) => {
      const cloud = client(context, options);
      const balance = await cloud.get<TrialBalance>("/ledger/trial-balance", { period: options.period });
      if (options.json === true) return printer.json(balance);
      return printBalance(balance, printer);
    });
}

function printBalance({ rows, totals }: TrialBalance, printer: Printer): void {
  const all = [...rows, ...totals.map((total) => ({ ...total, account: "", balance: "0" }))];
  printer.table(
    [
      { title: "ACCOUNT", text: ({ account }) => account },
      { title: "DEBIT", text: ({ debit }) => debit, align: "right" },
      { title: "CREDIT", text: ({ credit }) => credit, align: "right" },
      { title: "BALANCE", text: ({ balance, currency }) => `${balance} ${currency}`, align: "right" },
    ],
    all,
    "Nothing was ever posted.",
  );
}

function addWhy(group: Command, context: CommandContext): void {
  const { printer } = context;
  withJson(
    withCloud(
      group
        .command("why <posting>")
        .description("go back from a posting, such as 12.1, to invoice, usage, requests and receipts"),
    ),
  ).action(async (posting: string, options: Options) => {
    const reasons = await client(context, options).get<Reasons>(pathOf`/ledger/postings/${posting}/why`);
    if (options.json === true) return printer.json(reasons);
    return printReasons(reasons, printer);
  });
}

function printReasons(
  { posting, transaction, invoice, payment, lines, sums, requests, records }: Reasons,
  printer: Printer,
): void {
  printer.facts([
    ["posting", `${posting.posting} ${posting.account} ${posting.amount} ${posting.currency}`],
    ["transaction", `${transaction.number} ${transaction.kind} of ${transaction.period}, ${transaction.date}`],
    ["organisation", posting.organisationName ?? posting.organisation ?? "–"],
    ["made from", transaction.reference],
    ...(payment === null ? [] : [[payment.kind, paymentText(payment)] as const]),
    ...(transaction.documentNumber === null ? [] : [["document", transaction.documentNumber] as const]),
  ]);
  if (invoice !== null) {
    printer.text(`\n${invoice}\n`);
    printer.table(
      [
        { title: "SKU", text: (line) => String(line["sku"]) },
        { title: "USED IN", text: (line) => String(line["period"]) },
        { title: "QUANTITY", text: (line) => String(line["quantity"]), align: "right" },
        { title: "AMOUNT", text: (line) => String(line["amount"]), align: "right" },
        { title: "ROUNDED", text: (line) => String(line["rounded"]), align: "right" },
      ],
      lines,
      "",
    );
  }
  if (sums.length > 0) printer.text("\n");
  printer.table(
    [
      { title: "SUM", text: ({ sku, period }) => `${period} ${sku}` },
      { title: "EVENTS", text: ({ events }) => String(events), align: "right" },
      { title: "QUANTITY", text: ({ quantity }) => quantity, align: "right" },
    ],
    sums,
    "",
  );
  printer.text("\n");
  printer.table(
    [
      { title: "USED", text: ({ at }) => at },
      { title: "WHAT", text: ({ sku, model }) => sku ?? model ?? "" },
      { title: "QUANTITY", text: quantityOf, align: "right" },
      { title: "ID", text: ({ id }) => id },
      { title: "RECEIPT", text: ({ receipt }) => receipt ?? "" },
    ],
    [...requests, ...records],
    "No usage made it.",
  );
  if (requests.some(({ receipt }) => receipt !== null)) printer.remarks([whoseReceipts]);
}

function paymentText({ id, date, payment }: NonNullable<Reasons["payment"]>): string {
  return `${id} of ${date}${payment === null ? "" : `: ${payment} did not last`}`;
}
const whoseReceipts =
  "a receipt is its tenant's: `receipt get RECEIPT` fetches it with a key of the project that asked (--api-key-file, or BAILIWICK_KEY), and not with an operator's token; `export organisation` has all of a customer's, for an operator too.";

/** A record's quantity, or a request's tokens: what went in and what came out. */
function quantityOf({ sku, quantity, inputTokens, outputTokens }: Reasons["records"][number]): string {
  if (sku !== null) return quantity ?? "not known";
  return inputTokens === null ? "not known" : `${inputTokens} in, ${outputTokens ?? "0"} out`;
}

function addLedgerExport(group: Command, context: CommandContext): void {
  withCloud(group.command("export").description("write the ledger for another program, on standard output"))
    .addOption(
      new Option("--format <format>", "for Beancount, for hledger, or a row for each posting")
        .choices(["beancount", "hledger", "csv"])
        .default("beancount"),
    )
    .option("--period <period>", "this one's transactions only")
    .action(async (options: CloudOptions & { format: "beancount" | "hledger" | "csv"; period?: string }) => {
      const { kindOf, plainText } = await import("../ledger/index.ts");
      const { printer } = context;
      const cloud = client(context, options);
      const written = plainText(options.format, kindOf);
      const { items } = await cloud.get<Accounts>("/ledger/accounts");
      const { totals } = await cloud.get<TrialBalance>("/ledger/trial-balance");
      const currencies = totals.map(({ currency }) => currency);
      printer.text(written.opening(items, currencies));
      const pages = cloud.pages<LedgerTransaction>("/ledger/transactions", { period: options.period });
      for await (const page of pages) printer.text(page.map((each) => written.entry(each)).join(""));
    });
}
