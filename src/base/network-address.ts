/** Where a machine listens: a name or an IP address, and a port. */
export interface NetworkAddress {
  readonly host: string;
  readonly port: number;
}

/** "fr.example:7443" or "[2001:db8::1]:7443"; undefined for what is neither. */
export function parseAddress(text: string): NetworkAddress | undefined {
  const parts = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([^\s:/[\]@]{1,253})):(\d{1,5})$/.exec(text);
  if (parts === null) return undefined;
  const port = Number(parts[3]);
  return port > 65_535 ? undefined : { host: parts[1] ?? parts[2]!, port };
}

export function addressText({ host, port }: NetworkAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Whether it stands for every address of the machine, and so names none at which it can be reached. */
export function isEverywhere(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}
