/**
 * A turn on a real machine is over, or is thought over: an engine mixes the prompts and the tokens of a model in its steps, so
 * what each has got is told one by one. A prompt that has begun and got no token yet is still being computed, in this model's
 * next turns.
 */
export interface MeasuredTurn {
  readonly kind: "turnMeasured";
  readonly device: string;
  /** Tokens of each request of the model since the last turn of it that was told. */
  readonly tokens: ReadonlyMap<string, number>;
  /** Requests of the model that are over, however they ended. */
  readonly finished: ReadonlySet<string>;
}

/** The weights that were on the device are gone, and what ran on them: a program that served them has ended, say. */
export interface ModelLost {
  readonly kind: "modelLost";
  readonly device: string;
  readonly model: string;
}

/** What hosts tell beside what the simulator does. */
export type HostEvent = MeasuredTurn | ModelLost;
