/** How a search asks: does this number of devices reach it, by the first seed alone or by all of them? */
export interface Question<Answer> {
  readonly devicesMax: number;
  readonly byFirstSeed: (devices: number) => boolean;
  /** Undefined: it does not. */
  readonly byAllSeeds: (devices: number) => Answer | undefined;
}

export interface Least<Answer> {
  readonly devices: number;
  readonly answer: Answer;
}

/**
 * The fewest devices with which every seed reaches it, from `from` on; undefined: not with `devicesMax`. The first seed
 * alone says where to begin (doubled, then halved between), as if more devices never did worse; from there all seeds are
 * asked, one device more at a time. A number of devices that fails costs few runs, because the first seed that does
 * not reach it ends it.
 */
export function findLeast<Answer>(question: Question<Answer>, from: number): Least<Answer> | undefined {
  let failing = 0;
  let reaching = Math.min(Math.max(1, from), question.devicesMax);
  while (!question.byFirstSeed(reaching)) {
    if (reaching >= question.devicesMax) return undefined;
    failing = reaching;
    reaching = Math.min(reaching * 2, question.devicesMax);
  }
  while (reaching - failing > 1) {
    const middle = Math.floor((reaching + failing) / 2);
    if (question.byFirstSeed(middle)) reaching = middle;
    else failing = middle;
  }
  for (let devices = reaching; devices <= question.devicesMax; devices++) {
    const answer = question.byAllSeeds(devices);
    if (answer !== undefined) return { devices, answer };
  }
  return undefined;
}
