/**
 * A host was not heard for as long as its lease: its connections are as good as broken, although nothing has closed them,
 * and when it will be heard again nobody knows.
 */
export class HostSilent extends Error {
  readonly code = "ECONNRESET";

  constructor(leaseSeconds: number) {
    super(`the host was not heard for ${leaseSeconds} s`);
  }
}
