import { createHmac } from "node:crypto";
import { isIP } from "node:net";
import { Agent, request } from "undici";
import { type Clock, isInside, isLoopback, outsideLookup } from "../base/index.ts";
import type { AlertChannel } from "./alerts.ts";
import type { Alert } from "./due.ts";

export interface WebhookOptions {
  readonly url: string;
  /** What it signs with: see `webhookKey`. */
  readonly key: Buffer;
  /** Whether it may be within networks of one's own; this machine always may. */
  readonly allowPrivate: boolean;
  /** Who tells it: this installation. */
  readonly source: string;
  readonly clock: Clock;
}

const timeoutMs = 10_000;

/**
 * The key that a secret is: behind `whsec_` its Base64, as Standard Webhooks have it
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md); any other is the text itself. undefined:
 * it begins so, and is no Base64.
 */
export function webhookKey(secret: string): Buffer | undefined {
  if (!secret.startsWith(prefix)) return Buffer.from(secret, "utf8");
  const encoded = secret.slice(prefix.length);
  const key = Buffer.from(encoded, "base64");
  return key.length > 0 && key.toString("base64") === encoded ? key : undefined;
}

const prefix = "whsec_";

/** As Standard Webhooks have it: HMAC-SHA256 over id, seconds and body. */
export function webhookSignature(key: Buffer, id: string, seconds: number, body: string): string {
  return `v1,${createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64")}`;
}

/** Sends alerts as CloudEvents (1.0.2, structured JSON), signed as Standard Webhooks have it. No redirect is followed. */
export function webhookChannel({ url, key, allowPrivate, source, clock }: WebhookOptions): AlertChannel {
  const { hostname } = new URL(url);
  const mayBeInside = allowPrivate || isLoopback(hostname);
  const bare = hostname.replace(/^\[|\]$/g, "");
  const refused = (name: string, why: string): Error => new Error(`${name} is not asked: ${why}`);
  const dispatcher = new Agent({
    connections: 1,
    connect: { timeout: timeoutMs, ...(mayBeInside ? {} : { lookup: outsideLookup(refused) }) },
  });
  return {
    name: "webhook",
    async send(alert) {
      // Who connects to an address looks no name up.
      if (!mayBeInside && isIP(bare) !== 0 && isInside(bare)) throw refused(bare, "it is no address of the Internet");
      const id = `alert_${alert.number}`;
      const body = JSON.stringify(eventOf(alert, id, source));
      const seconds = Math.floor(clock.nowMs() / 1_000);
      const answer = await request(url, {
        method: "POST",
        dispatcher,
        headers: {
          "content-type": "application/cloudevents+json",
          "webhook-id": id,
          "webhook-timestamp": String(seconds),
          "webhook-signature": webhookSignature(key, id, seconds, body),
        },
        body,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      });
      await answer.body.dump({ limit: 65_536 });
      if (answer.statusCode < 200 || answer.statusCode >= 300) throw new Error(`it answered ${answer.statusCode}`);
    },
  };
}

function eventOf({ kind, level, scope, name, occasion, threshold, message, atMs }: Alert, id: string, source: string) {
  return {
    specversion: "1.0",
    id,
    source,
    type: `bailiwick.alert.${kind}`,
    subject: scope,
    time: new Date(atMs).toISOString(),
    datacontenttype: "application/json",
    data: { level, name, occasion, threshold, message },
  };
}
