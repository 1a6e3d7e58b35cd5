import type { DestinationList } from "../destinations/index.ts";
import type { Member } from "../membership/index.ts";
import { JoinedHost, type JoinedHostOptions } from "./joined-host.ts";

/** How long a host that was revoked may take to end what runs there. */
const retiringMs = 600_000;

/** The joined hosts that there are, as destinations: they come as they join, and go as they are revoked. */
export class Roster {
  readonly hosts = new Map<string, JoinedHost>();
  readonly #retiring = new Set<JoinedHost>();
  readonly #destinations: DestinationList;
  readonly #options: JoinedHostOptions;

  constructor(destinations: DestinationList, options: JoinedHostOptions) {
    this.#destinations = destinations;
    this.#options = options;
  }

  /** Hears of all that are hosts now. */
  readonly follow = (members: readonly Member[]): void => {
    const ids = new Set<string>(members.map(({ id }) => id));
    for (const [id, host] of this.hosts) if (!ids.has(id)) this.#remove(id, host);
    for (const member of members) {
      const known = this.hosts.get(member.id);
      if (known === undefined) this.#add(member);
      else known.follow(member);
    }
  };

  async close(): Promise<void> {
    await Promise.all([...this.hosts.values(), ...this.#retiring].map((host) => host.close()));
  }

  #add(member: Member): void {
    const host = new JoinedHost(member, this.#options);
    this.hosts.set(member.id, host);
    this.#destinations.add(host.destination);
  }

  #remove(id: string, host: JoinedHost): void {
    this.hosts.delete(id);
    this.#destinations.remove(id);
    this.#options.options.log.info({ host: id }, "a host was revoked: nothing new goes there");
    this.#retiring.add(host);
    void host.retire(retiringMs).finally(() => this.#retiring.delete(host));
  }
}
