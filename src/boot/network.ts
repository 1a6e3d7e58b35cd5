import type { Settings } from "../config/index.ts";
import type { NetworkConnections } from "../gateway/index.ts";
import type { Action } from "../policy/index.ts";
import type { Cloud } from "../stages/index.ts";
import type { Tenancy } from "../tenancy/index.ts";
import { dataOwner } from "./explaining.ts";
import type { JoinedHosts } from "./joined.ts";

interface Parts {
  readonly settings: Settings;
  readonly cloud: Cloud;
  readonly tenancy: Tenancy;
  readonly joined: JoinedHosts;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

type Connection = NetworkConnections["connections"][number];
type Project = Connection["projects"][number];

/** How many projects are asked about, and how many of them a connection names. */
const projectsMax = 10_000;
const pageLimit = 1_000;
const namedMax = 100;

/**
 * Every address that this cloud's processes may connect to, why, and what reaches it: the settings name them, and policy
 * says whose requests. Where others name an address (a machine that joins, the Hub, pip), the row has none. What is not here is not connected to; what is on this machine alone (its sockets, PostgreSQL's own)
 * is not listed.
 */
export async function networkConnections(parts: Parts): Promise<NetworkConnections> {
  const { settings, cloud, tenancy, joined } = parts;
  const projects = await allProjects(tenancy);
  const reached = (connection: Connection, destination: Destination | undefined): Connection =>
    destination === undefined ? connection : { ...connection, ...whose(projects, destination, cloud) };
  const upstreams = settings.upstreams.map(({ name, url }) => {
    const destination = cloud.destinations.all.find((each) => each.kind === "upstream" && each.name === name);
    return reached(row("upstream", name, addressOf(url), ""), destination);
  });
  const hosts = [...joined.hosts].map(([id, { address, destination }]) =>
    reached(row("host", id, address, ""), destination),
  );
  const connections = [
    ...upstreams,
    ...hosts,
    ...joiningMachines(joined),
    ...databaseConnection(parts),
    ...vaultConnection(settings),
    ...settings.log.witnesses.map(({ name, url }) =>
      row("witness", name, addressOf(url), "checkpoints of the transparency log, which name no tenant"),
    ),
    ...timestampConnection(settings),
    ...alertConnections(settings),
    ...modelSources(settings),
  ];
  return { airGapped: settings.network.airGapped, connections };
}

type Destination = Cloud["destinations"]["all"][number];
type Told = Awaited<ReturnType<typeof allProjects>>[number];

/** The projects whose requests policy permits at a destination. */
function whose(projects: readonly Told[], destination: Destination, cloud: Cloud): Partial<Connection> {
  const permitted = projects.filter((project) => mayReach(project, destination, cloud));
  const { name, jurisdiction } = destination.site;
  return {
    carries:
      permitted.length > 0
        ? "requests of the projects that policy permits it to"
        : "the question of what it offers only",
    site: { name, jurisdiction: jurisdiction ?? null },
    projectCount: permitted.length,
    projects: permitted
      .slice(0, namedMax)
      .map(({ id, name: called, dataClass }): Project => ({ id, name: called, dataClass })),
  };
}

/** Whether policy permits the project to use anything there: any of its models, or one that has no facts. */
export function mayReach(project: Told, destination: Destination, { inForce }: Pick<Cloud, "inForce">): boolean {
  const owner = dataOwner(project);
  const models = ["any model", ...[...destination.offers()].map(({ model }) => model)];
  const actions: readonly Action[] = ["infer", "embed"];
  return actions.some((action) =>
    models.some(
      (model) => inForce.policy.decide({ action, project: owner, model }, [destination]).outcome === "permitted",
    ),
  );
}

/** Every project, up to a bound. */
export async function allProjects(tenancy: Tenancy) {
  const found = [];
  let after: string | undefined;
  do {
    const page = await tenancy.listProjects({ organisation: undefined }, { limit: pageLimit, after });
    if ("outcome" in page) return found;
    found.push(...page.items);
    after = page.next ?? undefined;
  } while (after !== undefined && found.length < projectsMax);
  return found;
}

function vaultConnection({ contents }: Settings): Connection[] {
  if (contents.vault === undefined) return [];
  return [
    row("keys", "Vault", addressOf(contents.vault.url), "projects' keys, to be wrapped and unwrapped; no content"),
  ];
}

function timestampConnection({ log }: Settings): Connection[] {
  if (log.timestamps === undefined) return [];
  const carries = "the hash of a checkpoint of the transparency log, once an hour";
  return [row("timestamp", "time-stamping authority", addressOf(log.timestamps.url), carries)];
}

function alertConnections({ billing }: Settings): Connection[] {
  const { webhook, email } = billing.alerts;
  const carries = "names of organisations, projects and keys whose budgets or wallets run out, and the amounts";
  return [
    ...(webhook === undefined ? [] : [row("alerts", "webhook", addressOf(webhook.url), carries)]),
    ...(email === undefined ? [] : [row("alerts", "mail server", { host: email.host, port: email.port }, carries)]),
  ];
}

function databaseConnection({ settings, environment }: Parts): Connection[] {
  const { url: plain, urlEnvironment } = settings.database;
  const url = plain ?? (urlEnvironment === undefined ? undefined : environment[urlEnvironment]);
  if (url === undefined) return [];
  return [
    row(
      "database",
      "PostgreSQL",
      addressOf(url, 5432),
      "organisations, keys, usage and receipts; no prompt, no answer",
    ),
  ];
}

/** A machine with a token, or a host that comes back, says where it is, and whether its key answers there is looked at first. */
function joiningMachines({ url }: JoinedHosts): Connection[] {
  if (url === undefined) return [];
  const carries = "a TLS greeting, before a machine that has a token, or was a host before, is reached there";
  return [row("host", "machines that join", { host: null, port: null }, carries)];
}

function modelSources({ network, models }: Settings): Connection[] {
  if (network.airGapped) return [];
  const hub = models.huggingFaceUrl ?? "https://huggingface.co";
  const carries = "names of models, while one is pulled";
  return [
    row("models", "Hugging Face Hub", addressOf(hub), carries),
    row(
      "models",
      "the Hub's storage",
      { host: null, port: null },
      `${carries}: the addresses that the Hub sends on to`,
    ),
    row("models", "pip", { host: null, port: null }, `${carries}: the index that pip on this machine is set up for`),
  ];
}

interface Address {
  readonly host: string | null;
  readonly port: number | null;
}

/** A socket's folder is no host: PostgreSQL's URL may name one. */
function addressOf(url: string, ownPort?: number): Address {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const given = port === "" ? (ownPort ?? (protocol === "https:" ? 443 : 80)) : Number(port);
  return host === "" || host.startsWith("%2F") ? { host: null, port: null } : { host, port: given };
}

function row(purpose: Connection["purpose"], name: string, address: Address, carries: string): Connection {
  return { purpose, name, ...address, site: null, carries, projectCount: 0, projects: [] };
}
