import { isIPv4 } from "node:net";

/** Whether a host, as a URL or an option names it, is this machine itself: what is said to it leaves no network. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  if (isIPv4(name)) return name.startsWith("127.");
  return name === "::1" || name === "localhost" || name.endsWith(".localhost");
}
