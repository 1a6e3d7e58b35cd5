import type { Command } from "commander";
import { formatAmount, parseAmount } from "../base/index.ts";
import type { Wallet, WalletGrant, WalletMovementTold } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { type ControlClient, pathOf } from "./control-client.ts";
import { CommandFailure } from "./failure.ts";
import { once } from "./once.ts";
import { parseInstant } from "./reservation.ts";

type Options = CloudOptions & JsonOption;

interface GrantOptions extends Options {
  readonly id?: string;
  readonly currency?: string;
  readonly credits: string;
  readonly paid: string;
  readonly priority?: string;
  readonly expires?: string;
  readonly rolloverMost?: string;
  readonly rolloverUntil?: string;
  readonly breakage?: string;
  readonly note?: string;
  readonly received?: true;
}

export function addWalletCommands(program: Command, context: CommandContext): void {
  const group = program
    .command("wallet")
    .description("prepaid wallets: credits that organisations have bought or were given");
  addGrant(group, context);
  addList(group, context);
  addShow(group, context);
  addMovements(group, context);
}

function addGrant(group: Command, context: CommandContext): void {
  const command = withJson(
    withCloud(group.command("grant <organisation>").description("grant credits, bought or given")),
  );
  withRequired(command, "--credits <credits>", "how many; a credit pays for one unit of the currency");
  withRequired(command, "--paid <amount>", "what is paid for them, without tax; 0: they are given")
    .option("--id <id>", "what makes it the same grant when it is asked for again; default: a new one")
    .option("--currency <currency>", "default: what the organisation is billed in")
    .option("--priority <number>", "the lower, the sooner it is used; default: 0")
    .option("--expires <time>", "a day or an instant: it holds to the end of the period in which that is", parseInstant)
    .option("--rollover-most <credits>", "how many credits stay when it expires, once")
    .option("--rollover-until <time>", "until when they stay, likewise", parseInstant)
    .option("--breakage <percent>", "what is expected never to be used; default: 0")
    .option("--note <text>", "what it is for")
    .option("--received", "what is paid has arrived: its invoice is issued and paid at once")
    .action(async (organisation: string, options: GrantOptions) => {
      const {
        id = context.surroundings.ids.mint("wgr"),
        currency,
        credits,
        paid,
        priority,
        expires,
        rolloverMost,
        rolloverUntil,
        breakage,
        note,
      } = options;
      const rollover =
        rolloverMost === undefined && rolloverUntil === undefined
          ? undefined
          : { most: rolloverMost, until: rolloverUntil };
      const body = {
        id,
        currency,
        credits,
        paid,
        priority: priority === undefined ? undefined : Number(priority),
        expiresAt: expires,
        rollover,
        breakagePercent: breakage,
        note,
        received: options.received,
      };
      const path = pathOf`/wallets/${organisation}/grants`;
      const made = await once(id, () => client(context, options).send<WalletGrant>("POST", path, body));
      if (options.json === true) return context.printer.json(made);
      return context.printer.facts([
        ["id", made.id],
        ["credits", `${made.credits} ${made.currency}`],
        ["paid", `${made.paid} ${made.currency}`],
        ["until", made.until ?? "used up"],
        ["invoice", made.invoice ?? "none"],
      ]);
    });
}

function addList(group: Command, context: CommandContext): void {
  withJson(withCloud(group.command("list").description("list wallets"))).action(async (options: Options) => {
    const rows = await client(context, options).list<Wallet>("/wallets");
    if (options.json === true) return context.printer.json(rows);
    return printWallets(context, rows);
  });
}

function addShow(group: Command, context: CommandContext): void {
  const { printer } = context;
  withJson(
    withCloud(group.command("show <organisation>").description("show an organisation's wallets and grants")),
  ).action(async (organisation: string, options: Options) => {
    const rows = await client(context, options).list<Wallet>(pathOf`/wallets/${organisation}`);
    if (options.json === true) return printer.json(rows);
    printWallets(context, rows);
    printer.remarks(rows.flatMap(remarksOn));
    return printer.table<WalletGrant>(
      [
        { title: "GRANT", text: ({ id }) => id },
        { title: "CREDITS", text: ({ credits, currency }) => `${credits} ${currency}`, align: "right" },
        { title: "PAID", text: ({ paid }) => paid, align: "right" },
        { title: "DRAWN", text: ({ drawn }) => drawn, align: "right" },
        { title: "LAPSED", text: ({ lapsed }) => lapsed, align: "right" },
        { title: "RETURNED", text: ({ returned }) => returned, align: "right" },
        { title: "PRIORITY", text: ({ priority }) => String(priority), align: "right" },
        { title: "UNTIL", text: ({ until }) => until ?? "" },
        { title: "INVOICE", text: ({ invoice }) => invoice ?? "" },
      ],
      rows.flatMap(({ grants }) => grants),
      "Nothing was ever granted; `npx bailiwick wallet grant` does.",
    );
  });
}

function addMovements(group: Command, context: CommandContext): void {
  withJson(withCloud(group.command("movements <organisation>").description("list what became of a wallet's credits")))
    .option("--currency <currency>", "of which of its wallets; default: the one that there is")
    .action(async (organisation: string, options: Options & { currency?: string }) => {
      const cloud = client(context, options);
      const currency = options.currency ?? (await onlyCurrency(cloud, organisation));
      const path = pathOf`/wallets/${organisation}/${currency}/movements`;
      const rows = await cloud.list<WalletMovementTold>(path);
      if (options.json === true) return context.printer.json(rows);
      return context.printer.table<WalletMovementTold>(
        [
          { title: "AT", text: ({ at }) => at },
          { title: "KIND", text: ({ kind }) => kind },
          { title: "GRANT", text: ({ grant }) => grant },
          { title: "CREDITS", text: ({ credits }) => credits, align: "right" },
          { title: "WITH", text: ({ reference }) => reference },
        ],
        rows,
        "Nothing was drawn, and nothing has lapsed.",
      );
    });
}

async function onlyCurrency(cloud: ControlClient, organisation: string): Promise<string> {
  const rows = await cloud.list<Wallet>(pathOf`/wallets/${organisation}`);
  const [first, ...others] = rows.map(({ currency }) => currency);
  if (first !== undefined && others.length === 0) return first;
  if (first === undefined) {
    const next = "`wallet grant` makes one.";
    throw new CommandFailure("not_found", `${organisation} has no wallet.`, { next });
  }
  const message = `${organisation} has wallets in ${[first, ...others].join(", ")}.`;
  throw new CommandFailure("invalid_option", message, { next: "Name one with --currency." });
}

/** Who pays later and was never granted anything has no wallet that could be overdrawn. */
function hasNone({ prepaid, grants }: Wallet): boolean {
  return !prepaid && grants.length === 0;
}

/** Why its amounts are what they are, where that is not seen. */
function remarksOn(wallet: Wallet): readonly string[] {
  const { organisation, currency, prepaid, balance, unbilled, available } = wallet;
  if (hasNone(wallet))
    return [`${organisation.name} pays later, and has no grant in ${currency}: what it has used is owed.`];
  const [has, used, left] = [balance, unbilled, available].map((amount) => parseAmount(amount) ?? 0n) as [
    bigint,
    bigint,
    bigint,
  ];
  const unpaid = left - (has - used);
  return [
    ...(unpaid <= 0n
      ? []
      : [
          `Of what is unbilled the grants do not pay for ${formatAmount(unpaid)} ${currency}: it was used in a period at whose end they do not hold.`,
        ]),
    ...(left < 0n && !prepaid ? [`${organisation.name} pays later: what its grants do not pay for is owed.`] : []),
  ];
}

function printWallets({ printer }: CommandContext, rows: readonly Wallet[]): void {
  printer.table<Wallet>(
    [
      { title: "ORGANISATION", text: ({ organisation }) => organisation.name },
      { title: "CURRENCY", text: ({ currency }) => currency },
      { title: "PREPAID", text: ({ prepaid }) => (prepaid ? "yes" : "no") },
      { title: "BALANCE", text: ({ balance }) => balance, align: "right" },
      { title: "UNBILLED", text: ({ unbilled }) => unbilled, align: "right" },
      { title: "AVAILABLE", text: (wallet) => (hasNone(wallet) ? "–" : wallet.available), align: "right" },
    ],
    rows,
    "There is no wallet.",
  );
}
