import { Failed, failedBy } from "./failed.ts";
import { messageOf } from "./words.ts";

/**
 * Why the operator's own database cannot be used. It is named by its host and name only: its URL may hold a password.
 * The codes are PostgreSQL's (its appendix A) and the operating system's.
 */
export function databaseFailure(error: unknown, url: string): Failed {
  const known = failedBy(error);
  if (known !== undefined) return known;
  const place = placeOf(url);
  if (place === undefined) {
    return new Failed(
      "The database's URL is not valid.",
      "Write it as postgresql://user:password@host:5432/name, with special characters in it percent-encoded.",
    );
  }
  const { database, host, user } = place;
  const code = codeOf(error);
  const message = messageOf(error);
  switch (code) {
    case "28P01":
    case "28000":
      return new Failed(
        `PostgreSQL at ${host} does not let ${user} in: ${message}.`,
        "Correct the user and the password in the database's URL; pg_hba.conf on its side says who may connect from where.",
      );
    case "3D000":
      return new Failed(
        `PostgreSQL at ${host} has no database ${database}.`,
        `Make it (createdb ${database}), or correct the name at the end of the database's URL.`,
      );
    case "42501":
      return new Failed(
        `${user} may not make tables in ${database} at ${host}: ${message}.`,
        `Make that user the database's owner (ALTER DATABASE ${database} OWNER TO ${user}).`,
      );
    case "42P07":
    case "42710":
    case "42P06":
      return new Failed(
        `The database ${database} at ${host} holds something else already: ${message}`,
        "Give Bailiwick an empty database of its own (createdb bailiwick).",
      );
    case "ECONNREFUSED":
    case "ENOENT":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ETIMEDOUT":
    case "ECONNRESET":
      return unreachable(host, code, message);
    default:
      return /timeout|terminated/i.test(message)
        ? unreachable(host, code, message)
        : new Failed(
            `The database ${database} at ${host} cannot be used: ${message}`,
            "docs/operating/database.md says what it must be and allow.",
          );
  }
}

function unreachable(host: string, code: string | undefined, message: string): Failed {
  return new Failed(
    `PostgreSQL at ${host} cannot be reached: ${message === "" ? code : message}.`,
    "See that it runs, and that it listens there for this machine; correct host and port in the database's URL.",
  );
}

/** The innermost code: a failed migration, and several addresses tried in turn, wrap what happened. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : error.cause;
  return codeOf(inner) ?? (error as NodeJS.ErrnoException).code;
}

function placeOf(url: string) {
  // A socket's URL has no host (postgresql://user@/name?host=/run/postgresql), which a URL beside a user must have.
  const parsed = URL.parse(url.replace("@/", "@localhost/"));
  if (parsed === null) return undefined;
  const { host, pathname, searchParams, username } = parsed;
  return {
    host: searchParams.get("host") ?? (host === "" ? "localhost" : host),
    database: decoded(pathname.slice(1)) || decoded(username) || "(unnamed)",
    user: decoded(username) || "this user",
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded as it should be; it is only shown.
    return text;
  }
}
