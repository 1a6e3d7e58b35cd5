import { pino, type Logger } from "pino";

export type Log = Logger;

/**
 * One JSON object a line. Fields that could hold a secret are cut even where somebody logs them by mistake; what a
 * client sends or gets is never handed to a logger in the first place.
 */
export function createLog(options: { readonly level: string; readonly to: NodeJS.WritableStream }): Log {
  const secrets = ["authorization", "key", "secret", "token", "password", "url"];
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: [
          ...secrets.filter((name) => name !== "url"),
          ...secrets.map((name) => `*.${name}`),
          "*.headers.authorization",
        ],
        censor: "[cut]",
      },
    },
    options.to,
  );
}
