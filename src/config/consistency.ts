import type { z } from "zod";
import { isLoopback } from "../base/index.ts";
import { checkAirGap } from "./air-gap.ts";
import type { Report } from "./problem.ts";
import type { Settings } from "./sections.ts";

/** What no single value shows: names given twice, one site with two laws, prices in two currencies. */
export function checkConsistency(settings: Settings, context: z.RefinementCtx): void {
  const report: Report = (path, message) => context.addIssue({ code: "custom", path, message });
  if (settings.database.url !== undefined && settings.database.urlEnvironment !== undefined) {
    report(["database", "urlEnvironment"], "give the URL itself or the variable that holds it, not both");
  }
  reportRepeated(settings.upstreams, "name", ["upstreams"], report);
  reportRepeated(settings.models.entries, "name", ["models", "entries"], report);
  reportRepeated(settings.contents.tenantKeys, "organisation", ["contents", "tenantKeys"], report);
  if (settings.contents.keyFile !== undefined && settings.contents.vault !== undefined) {
    report(["contents", "keyFile"], "give a file or Vault, not both");
  }
  reportRepeated(settings.log.witnesses, "name", ["log", "witnesses"], report);
  settings.upstreams.forEach((upstream, index) => {
    reportRepeated(upstream.models ?? [], "name", ["upstreams", index, "models"], report);
  });
  checkEngine(settings, report);
  checkResident(settings, report);
  checkSites(settings, report);
  checkPrices(settings, report);
  checkAlerts(settings, report);
  checkAirGap(settings, report);
}

/** Alerts name organisations and what they spend: they do not leave this machine unencrypted. */
function checkAlerts({ billing: { alerts } }: Settings, report: Report): void {
  const url = alerts.webhook === undefined ? undefined : new URL(alerts.webhook.url);
  if (url !== undefined && url.protocol !== "https:" && !isLoopback(url.hostname)) {
    report(["billing", "alerts", "webhook", "url"], "beyond this machine it has to be https");
  }
  const { email } = alerts;
  if (email === undefined) return;
  if (email.security === "none" && !isLoopback(email.host)) {
    report(["billing", "alerts", "email", "security"], "beyond this machine it has to be starttls or tls");
  }
  if ((email.user === undefined) !== (email.passwordEnvironment === undefined)) {
    report(["billing", "alerts", "email", "user"], "give a user and the variable that holds its password, or neither");
  }
}

/** What serves a model in a program of its own has to be told which, and what its device has: nothing tells it later. */
function checkEngine({ engine }: Settings, report: Report): void {
  const { kind, server, gpu, memoryBytes, loadTimeoutMs } = engine;
  if (kind !== "vllm" && kind !== "server") {
    if (server !== undefined) {
      const message = `an engine of kind ${kind} starts no program: leave it out, or let engine.kind be vllm or server`;
      report(["engine", "server"], message);
    }
    return;
  }
  if (server === undefined) {
    const message = `an engine of kind ${kind} starts a program: write it, with its arguments, as a list (docs/operating/engines.md)`;
    report(["engine", "server", "command"], message);
  }
  if (memoryBytes === "auto" && gpu !== "off") {
    const message = `an engine of kind ${kind} cannot see what the device has: say how many bytes, or set engine.gpu to off`;
    report(["engine", "memoryBytes"], message);
  }
  if (server === undefined) return;
  if (server.startTimeoutMs > loadTimeoutMs) {
    report(["engine", "server", "startTimeoutMs"], "it is longer than engine.loadTimeoutMs, which ends the load first");
  }
  if (kind === "server") checkProgram(server, report);
}

/** vLLM is told its socket by its adapter, and may sleep; of another program only its settings know how it is reached. */
function checkProgram(server: NonNullable<Settings["engine"]["server"]>, report: Report): void {
  const texts = [...server.command, ...Object.values(server.environment)];
  if (!texts.some((text) => text.includes("{port}") || text.includes("{socket}"))) {
    report(["engine", "server", "command"], "it names neither {port} nor {socket}: nobody could reach the program");
  }
  if (server.sleeping !== undefined) {
    report(["engine", "server", "sleeping"], "only programs of kind vllm can be put to sleep");
  }
}

function checkResident({ models }: Settings, report: Report): void {
  reportRepeated(models.resident, "name", ["models", "resident"], report);
  models.resident.forEach(({ name, keepWarmMs, unloadAfterMs, pin }, index) => {
    const path = ["models", "resident", index];
    if (!models.serve.includes(name)) report([...path, "name"], `"${name}" is not served: add it to models.serve`);
    if (pin && unloadAfterMs !== undefined) report([...path, "unloadAfterMs"], "a pinned model never leaves");
    if (unloadAfterMs !== undefined && unloadAfterMs < keepWarmMs) {
      report([...path, "unloadAfterMs"], "it is shorter than keepWarmMs");
    }
  });
}

function checkSites(settings: Settings, report: Report): void {
  reportRepeated(settings.sites, "name", ["sites"], report);
  const known = new Map([[settings.site.name, settings.site]]);
  const check = (site: Settings["site"], path: PropertyKey[]): void => {
    const first = known.get(site.name);
    if (first === undefined) known.set(site.name, site);
    else if (first.jurisdiction !== site.jurisdiction || first.operator !== site.operator) {
      const message = `site "${site.name}" is declared twice with another jurisdiction or operator: one site has one of each`;
      report([...path, "name"], message);
    }
  };
  settings.sites.forEach((site, index) => check(site, ["sites", index]));
  settings.upstreams.forEach(({ site }, index) => check(site, ["upstreams", index, "site"]));
}

function checkPrices(settings: Settings, report: Report): void {
  reportRepeated(settings.prices, "version", ["prices"], report);
  const instants = new Set<number>();
  settings.prices.forEach(({ effectiveFrom, currency }, index) => {
    const atMs = Date.parse(effectiveFrom);
    if (instants.has(atMs)) report(["prices", index, "effectiveFrom"], "another version begins at the same moment");
    instants.add(atMs);
    if (currency !== settings.prices[0]?.currency) {
      report(["prices", index, "currency"], "all versions share one currency, because budgets have none of their own");
    }
  });
}

function reportRepeated<Field extends string>(
  items: readonly { readonly [Name in Field]: string }[],
  field: Field,
  path: PropertyKey[],
  report: Report,
): void {
  const seen = new Set<string>();
  items.forEach((item, index) => {
    if (seen.has(item[field])) report([...path, index, field], `"${item[field]}" is given twice`);
    seen.add(item[field]);
  });
}
