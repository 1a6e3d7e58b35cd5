import type { CanonicalValue } from "../base/index.ts";
import type { Position } from "../journal/index.ts";

/** What a log's state says of where it stands: in the journal, and at which index each key statement is an entry. */
export interface Cursor {
  readonly position: Position | null;
  /** By the statement's number. */
  readonly statements: ReadonlyMap<number, number>;
}

/** The state has room for so many; an installation that changes its keys more often begins another log. */
export const statementsMax = 150;

export function cursorOf(value: CanonicalValue): Cursor {
  const {
    offset,
    segment,
    statements = {},
  } = (value ?? {}) as Partial<Position> & {
    readonly statements?: Readonly<Record<string, number>>;
  };
  return {
    position: segment === undefined || offset === undefined ? null : { segment, offset },
    statements: new Map(Object.entries(statements).map(([number, index]) => [Number(number), index])),
  };
}

export function cursorValue({ position, statements }: Cursor): CanonicalValue {
  return {
    ...(position === null ? {} : { segment: position.segment, offset: position.offset }),
    ...(statements.size === 0 ? {} : { statements: Object.fromEntries(statements) }),
  };
}
