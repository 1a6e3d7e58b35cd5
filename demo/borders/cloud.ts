/** The demo's cloud: a gateway that runs no model, and a host of its own at each site, joined over mutual TLS. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { control, makeKey } from "../../test/end-to-end/asking.ts";
import { commandFails, eventually, type RunningCloud, startCloud } from "../../test/end-to-end/cloud.ts";
import { hostIs, type Machine, newToken, startMachine } from "../../test/end-to-end/sites.ts";
import type { Engine } from "../options.ts";
import { factsOf, policies, type SiteName, sites } from "./facts.ts";
import { type Tenant, tenants } from "./tenants.ts";

export interface Access {
  readonly tenant: Tenant;
  /** The secret of its key. */
  readonly key: string;
  /** Its project's id, which its receipts name. */
  readonly project: string;
}

export interface Borders {
  readonly cloud: RunningCloud;
  readonly model: string;
  readonly tenants: readonly Access[];
  machineAt(site: SiteName): Machine;
  /** Starts the machine of a site again, as the host that it was. */
  restart(site: SiteName): Promise<void>;
}

export interface StartOptions {
  readonly engine: Engine;
  readonly models: string;
  /** For the data of gateway and hosts. */
  readonly folder: string;
}

const modelNames: Readonly<Record<Engine, string>> = { llamacpp: "smollm2-135m-instruct", fake: "fake" };

export async function startBorders(options: StartOptions): Promise<Borders> {
  const model = modelNames[options.engine];
  const config = join(options.folder, "host.yaml");
  // One thread for each engine: all three share this machine. Two answers at once, so that more go to another site.
  const engine = { kind: options.engine, threads: 1, sequences: 2 };
  writeFileSync(config, JSON.stringify({ engine, models: { serve: [model], folder: options.models } }));
  if (options.engine === "llamacpp") await pull(model, config, options.folder);
  const cloud = await startGateway(join(options.folder, "gateway"));
  const machines = await joinAll(cloud, config, options.folder);
  const hosts = new Map([...machines].map(([site, { host }]) => [site, host]));
  await control(cloud, "PUT", "/facts", { basedOn: 0, document: factsOf(hosts), note: "the demo's sites" });
  await control(cloud, "PUT", "/policies", { basedOn: 0, document: policies, note: "the demo's regimes" });
  const accesses = await Promise.all(tenants.map((tenant) => admit(cloud, tenant)));
  return {
    cloud,
    model,
    tenants: accesses,
    machineAt: (site) => machines.get(site)!.machine,
    restart: async (site) => {
      const { again, host } = machines.get(site)!;
      machines.set(site, { again, host, machine: await again() });
      await hostIs(cloud, host, "ready");
    },
  };
}

/** The model's file, verified, for the hosts to share; it may take minutes where it is not there yet. */
async function pull(model: string, config: string, folder: string): Promise<void> {
  const { code, stderr } = await commandFails(["model", "pull", model, "--config", config, "--data", folder]);
  if (code === 0) return;
  throw new Error(`${model} cannot be had:\n${stderr.trim()}\nWithout a model: npm run demo -- borders --engine fake`);
}

async function startGateway(folder: string): Promise<RunningCloud> {
  mkdirSync(folder);
  const [here, ...elsewhere] = sites.map(({ name, jurisdiction, operator }) => ({ name, jurisdiction, operator }));
  const settings = {
    site: here,
    sites: elsewhere,
    hosts: { listen: { host: "127.0.0.1", port: 0 } },
    models: { serve: [] },
  };
  // Ready is a cloud that can serve: this one is when its first host has come.
  const cloud = await startCloud({
    data: join(folder, "data"),
    settings: JSON.stringify(settings),
    until: "/healthz",
  });
  const isOpen = (): Promise<boolean> =>
    control(cloud, "GET", "/status").then(
      () => true,
      () => false,
    );
  await eventually("the control API", isOpen);
  return cloud;
}

interface Joined {
  readonly machine: Machine;
  readonly host: string;
  /** Starts it anew: its key is known, and it needs no token. */
  readonly again: () => Promise<Machine>;
}

async function joinAll(cloud: RunningCloud, config: string, folder: string): Promise<Map<SiteName, Joined>> {
  const joined = sites.map(async ({ name: site }): Promise<readonly [SiteName, Joined]> => {
    const { token, url } = await newToken(cloud, site);
    const options = { data: join(folder, site), url, engine: null, arguments: ["--config", config, "--site", site] };
    const machine = await startMachine({ ...options, token });
    await hostIs(cloud, machine.host, "ready");
    return [site, { machine, host: machine.host, again: () => startMachine(options) }];
  });
  return new Map(await Promise.all(joined));
}

async function admit(cloud: RunningCloud, tenant: Tenant): Promise<Access> {
  const organisation = tenant.name;
  await control(cloud, "POST", "/organisations", { name: organisation });
  const { id } = await control<{ id: string }>(cloud, "POST", "/projects", {
    organisation,
    name: "main",
    ...tenant.project,
  });
  return { tenant, project: id, key: await makeKey(cloud, "program", { project: `${organisation}/main` }) };
}
