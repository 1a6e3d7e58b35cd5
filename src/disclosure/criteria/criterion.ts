/** One contributing factor of the framework, in our words. */
export interface Criterion {
  /** "SOV-5.6". */
  readonly id: string;
  readonly title: string;
  /** What is asked. */
  readonly asks: string;
  /** How live state decides it; null: nothing here can. */
  readonly rule: string | null;
  /** What would answer it where nothing does. */
  readonly wouldAnswer: string;
}
