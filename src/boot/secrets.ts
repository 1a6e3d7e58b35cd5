import { webhookKey } from "../alerts/index.ts";
import { Failed } from "./failed.ts";
import type { BootOptions } from "./options.ts";

/** What the settings name and the environment holds; undefined: they name none. */
interface Secrets {
  readonly webhookKey: Buffer | undefined;
  readonly mailPassword: string | undefined;
  readonly vaultToken: string | undefined;
}

type Environment = Pick<BootOptions, "settings" | "environment">;

/** What the settings want of the environment; throws where something is missing, or cannot be used. */
export function secretsOf({ settings, environment }: Environment): Secrets {
  const { webhook, email } = settings.billing.alerts;
  const secret = (name: string | undefined, what: string): string | undefined => {
    if (name === undefined) return undefined;
    const held = environment[name];
    if (held !== undefined && held.trim() !== "") return held;
    throw new Failed(`The environment has no ${name}, which is to hold ${what}.`, `Set ${name}, and start again.`);
  };
  if (settings.database.url === undefined) secret(settings.database.urlEnvironment, "the database's URL");
  return {
    vaultToken: secret(settings.contents.vault?.tokenEnvironment, "Vault's token"),
    webhookKey: webhookKeyOf(secret(webhook?.secretEnvironment, webhookSecret), webhook?.secretEnvironment),
    mailPassword: secret(email?.passwordEnvironment, "the mail server's password"),
  };
}

const webhookSecret = "the secret that webhooks are signed with";

function webhookKeyOf(secret: string | undefined, name: string | undefined): Buffer | undefined {
  if (secret === undefined) return undefined;
  const key = webhookKey(secret);
  if (key !== undefined) return key;
  throw new Failed(
    `${name}, ${webhookSecret}, begins with whsec_, and what comes behind that is no Base64.`,
    "Copy the whole secret, with the = at its end, or make one: whsec_ and what `openssl rand -base64 32` prints.",
  );
}
