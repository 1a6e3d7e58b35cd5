import { Upstream } from "../engine/index.ts";
import { endpoints } from "../gateway/index.ts";
import { declaredSite } from "./declared-site.ts";
import type { BootOptions } from "./options.ts";
import { Failed } from "./failed.ts";

/** The settings' upstreams, with their keys from the environment. `onReady` hears whenever one has come. */
export function upstreamsOf(options: BootOptions, onReady: () => void): readonly Upstream[] {
  const { settings, clock, environment, log } = options;
  return settings.upstreams.map((upstream) => {
    const { keyEnvironment } = upstream;
    const key = keyEnvironment === undefined ? undefined : environment[keyEnvironment];
    if (keyEnvironment !== undefined && (key === undefined || key.trim() === "")) {
      throw new Failed(
        `The environment ${key === undefined ? "has no" : "has an empty"} ${keyEnvironment}.`,
        `Set it to the key of upstream "${upstream.name}", or leave the option out where that server asks for no key.`,
      );
    }
    return new Upstream({
      ...upstream,
      key,
      site: declaredSite(upstream.site),
      models: (upstream.models ?? []).map(({ name, upstreamName, contextTokens }) => ({
        name,
        upstreamName: upstreamName ?? name,
        ...(contextTokens === undefined ? {} : { contextTokens }),
      })),
      endpoints: upstream.endpoints,
      knownEndpoints: endpoints,
      connections: settings.limits.requestsInFlight,
      clock,
      onChange: ({ ready, why }) => {
        if (!ready) return log.warn({ upstream: upstream.name, why }, "upstream away");
        log.info({ upstream: upstream.name }, "upstream ready");
        return onReady();
      },
    });
  });
}
