import type { Socket } from "node:net";

interface Guest {
  readonly socket: Socket;
  readonly address: string;
  isHeard: boolean;
}

/**
 * Connections of which nobody knows yet what they want. Where there are too many, of all or of one address, the oldest has to
 * go, which is one of somebody who does not get on with it: whoever comes and asks at once is always let in. One that has
 * asked is not ended for another, and goes on counting as its address's.
 */
export class Guests {
  readonly #guests = new Map<string, Guest>();
  readonly #waitingMax: number;
  readonly #addressMax: number;

  constructor({ waitingMax, addressMax }: { readonly waitingMax: number; readonly addressMax: number }) {
    this.#waitingMax = waitingMax;
    this.#addressMax = addressMax;
  }

  add(socket: Socket): void {
    const name = endOf(socket);
    const address = socket.remoteAddress ?? "";
    const guest = { socket, address, isHeard: false };
    this.#guests.set(name, guest);
    socket.once("close", () => {
      if (this.#guests.get(name) === guest) this.#guests.delete(name);
    });
    const all = [...this.#guests.values()];
    const waiting = all.filter(({ isHeard }) => !isHeard);
    const ofAddress = all.filter((each) => each.address === address);
    if (ofAddress.length > this.#addressMax) ofAddress.find(({ isHeard }) => !isHeard)?.socket.destroy();
    else if (waiting.length > this.#waitingMax) waiting[0]?.socket.destroy();
  }

  /** It has said what it wants. */
  hear(socket: Socket): void {
    const guest = this.#guests.get(endOf(socket));
    if (guest !== undefined) guest.isHeard = true;
  }

  /** Nothing of it counts any more: it is somebody who is known. */
  forget(socket: Socket): void {
    this.#guests.delete(endOf(socket));
  }

  destroy(): void {
    for (const { socket } of this.#guests.values()) socket.destroy();
  }
}

function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
