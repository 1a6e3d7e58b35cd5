import type { AlertChannel } from "./alerts.ts";
import type { Alert } from "./due.ts";

export interface EmailOptions {
  readonly host: string;
  readonly port: number;
  /** `tls` from the first byte, `starttls` before anything is said, or `none`. */
  readonly security: "tls" | "starttls" | "none";
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly from: string;
  readonly to: readonly string[];
}

const timeoutMs = 15_000;

/** Sends alerts by SMTP, one message each. */
export function emailChannel({ host, port, security, user, password, from, to }: EmailOptions): AlertChannel {
  return {
    name: "email",
    async send(alert) {
      // Who sends no email loads nothing of it.
      const { createTransport } = await import("nodemailer");
      const transport = createTransport({
        host,
        port,
        secure: security === "tls",
        requireTLS: security === "starttls",
        ignoreTLS: security === "none",
        ...(user === undefined ? {} : { auth: { user, pass: password ?? "" } }),
        connectionTimeout: timeoutMs,
        greetingTimeout: timeoutMs,
        socketTimeout: timeoutMs,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      try {
        await transport.sendMail({ from, to: [...to], subject: subjectOf(alert), text: textOf(alert) });
      } finally {
        transport.close();
      }
    },
  };
}

function subjectOf({ kind, level, name, threshold }: Alert): string {
  return kind === "unrated"
    ? `Bailiwick: usage of ${name} is unrated`
    : `Bailiwick: ${threshold} % of the ${kind} of ${level} ${name}`;
}

function textOf({ message, atMs, number }: Alert): string {
  return `${message}\n\nAlert ${number}, ${new Date(atMs).toISOString()}.\n`;
}
