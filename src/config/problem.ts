/** One thing that is wrong with the settings. */
export interface SettingsProblem {
  /** "upstreams[0].url"; "" for the file as a whole. */
  readonly path: string;
  /** Line of the file, from 1; undefined where the value stands in no line (left out, or from the command line). */
  readonly line?: number;
  readonly message: string;
  /** The known key that was probably meant. */
  readonly nearest?: string;
}

/** Notes what is wrong with the value at a path. */
export type Report = (path: PropertyKey[], message: string) => void;
