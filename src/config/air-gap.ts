import { isLoopback } from "../base/index.ts";
import type { Report } from "./problem.ts";
import type { Settings } from "./sections.ts";

/** An air-gapped cloud connects to nothing beyond its own machine: an address elsewhere is a contradiction. */
export function checkAirGap(
  { network, database, upstreams, hosts, contents, log, models, billing }: Settings,
  report: Report,
): void {
  if (!network.airGapped) return;
  const check = (url: string, path: PropertyKey[]): void => {
    if (!isHere(url)) report(path, "network.airGapped is on, and this is no address of this machine's");
  };
  upstreams.forEach(({ url }, index) => check(url, ["upstreams", index, "url"]));
  log.witnesses.forEach(({ url }, index) => check(url, ["log", "witnesses", index, "url"]));
  if (log.timestamps !== undefined) check(log.timestamps.url, ["log", "timestamps", "url"]);
  if (database.url !== undefined) check(database.url, ["database", "url"]);
  if (contents.vault !== undefined) check(contents.vault.url, ["contents", "vault", "url"]);
  if (hosts.listen !== undefined && !isLoopback(hosts.listen.host)) {
    report(["hosts", "listen", "host"], "network.airGapped is on: hosts on other machines would be connected to");
  }
  const { webhook, email } = billing.alerts;
  if (webhook !== undefined) check(webhook.url, ["billing", "alerts", "webhook", "url"]);
  if (email !== undefined && !isLoopback(email.host)) {
    report(["billing", "alerts", "email", "host"], "network.airGapped is on, and this is no address of this machine's");
  }
  if (models.huggingFaceUrl !== undefined) check(models.huggingFaceUrl, ["models", "huggingFaceUrl"]);
}

/**
 * Whether a URL names this machine, or a Unix socket on it. PostgreSQL's may name hosts by parameters, and a socket's
 * folder as a host (PostgreSQL documentation, "Connection URIs").
 */
export function isHere(url: string): boolean {
  const parsed = URL.parse(url);
  if (parsed === null) return false;
  const named = ["host", "hostaddr"].flatMap((name) => parsed.searchParams.getAll(name));
  const hosts = [decodeURIComponent(parsed.hostname), ...named].flatMap((text) => text.split(",")).filter(Boolean);
  return hosts.length > 0 && hosts.every((host) => host.startsWith("/") || isLoopback(host));
}
