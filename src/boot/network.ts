import type { Settings } from "../config/index.ts";
import type { NetworkConnections } from "../gateway/index.ts";
import type { Action } from "../policy/index.ts";
import type { Cloud } from "../stages/index.ts";
import type { Tenancy } from "../tenancy/index.ts";
import { dataOwner } from "./explaining.ts";

interface Parts {
  readonly settings: Settings;
  readonly cloud: Cloud;
  readonly tenancy: Tenancy;
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
 * says whose requests. What is not here is not connected to; what is on this machine alone (its sockets, PostgreSQL's own)
 * is not listed.
 */
export async function networkConnections(parts: Parts): Promise<NetworkConnections> {
  const { settings } = parts;
  const connections = [
    ...(await upstreamConnections(parts)),
    ...databaseConnection(parts),
    ...settings.log.witnesses.map(({ name, url }) =>
      row("witness", name, addressOf(url), "checkpoints of the transparency log, which name no tenant"),
    ),
    ...modelSources(settings),
  ];
  return { airGapped: settings.network.airGapped, connections };
}

async function upstreamConnections({ settings, cloud, tenancy }: Parts): Promise<Connection[]> {
  const projects = await allProjects(tenancy);
  return settings.upstreams.map(({ name, url }) => {
    const destination = cloud.destinations.all.find((each) => each.kind === "upstream" && each.name === name);
    const permitted =
      destination === undefined ? [] : projects.filter((project) => mayReach(project, destination, cloud));
    const carries =
      permitted.length > 0
        ? "requests of the projects that policy permits it to"
        : "the question of what it offers only";
    const site = destination && { name: destination.site.name, jurisdiction: destination.site.jurisdiction ?? null };
    return {
      ...row("upstream", name, addressOf(url), carries),
      site: site ?? null,
      projectCount: permitted.length,
      projects: permitted.slice(0, namedMax).map(({ id, name, dataClass }): Project => ({ id, name, dataClass })),
    };
  });
}

type Destination = Cloud["destinations"]["all"][number];
type Told = Awaited<ReturnType<typeof allProjects>>[number];

/** Whether policy permits the project to use anything there: any of its models, or one that has no facts. */
function mayReach(project: Told, destination: Destination, { inForce }: Cloud): boolean {
  const owner = dataOwner(project);
  const models = ["any model", ...[...destination.offers()].map(({ model }) => model)];
  const actions: readonly Action[] = ["infer", "embed"];
  return actions.some((action) =>
    models.some(
      (model) => inForce.policy.decide({ action, project: owner, model }, [destination]).outcome === "permitted",
    ),
  );
}

async function allProjects(tenancy: Tenancy) {
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

function modelSources({ network, models }: Settings): Connection[] {
  if (network.airGapped) return [];
  const hub = models.huggingFaceUrl ?? "https://huggingface.co";
  const carries = "names of models, while one is pulled";
  return [
    row("models", "Hugging Face Hub", addressOf(hub), carries),
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
