/** Where the newest checkpoint of each log is kept that was seen and verified: signed notes, by their logs' names. */
export interface PinStore {
  read(log: string): Promise<string | undefined>;
  write(log: string, checkpoint: string): Promise<void>;
}

/** As long as the page or the process lives. */
export function memoryPins(): PinStore {
  const pins = new Map<string, string>();
  return {
    read: (log) => Promise.resolve(pins.get(log)),
    write: (log, checkpoint) => Promise.resolve(void pins.set(log, checkpoint)),
  };
}

const prefix = "bailiwick-checkpoint:";

/** In a browser's `localStorage`, or whatever is like it. */
export function browserPins(storage: {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
}): PinStore {
  return {
    read: (log) => Promise.resolve(storage.getItem(`${prefix}${log}`) ?? undefined),
    write: (log, checkpoint) => Promise.resolve(storage.setItem(`${prefix}${log}`, checkpoint)),
  };
}
