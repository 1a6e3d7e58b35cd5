import type { FastifyBodyParser, FastifyRequest } from "fastify";
import { readExactJson, refuse, RefusalError, twiceText } from "../../base/index.ts";

/**
 * Bodies as a parser of JSON reads them, but for those of usage: there a number keeps the digits that it was written with, and a member that is
 * told twice is refused. `isUsage`: of which requests.
 */
export function usageBodies(
  plain: FastifyBodyParser<string>,
  isUsage: (request: FastifyRequest) => boolean,
): FastifyBodyParser<string> {
  return (request, text, done) => {
    void plain(request, text, (error, body: unknown) => {
      if (error !== null || !isUsage(request)) return done(error, body);
      const { value, twice } = readExactJson(text, body);
      if (twice === undefined) return done(null, value);
      const reason = `record ${twice.place + 1}: ${twiceText(twice)}`;
      const refusal = refuse("usage_invalid", `The usage is not valid: ${reason}.`, { reasons: [reason] });
      return done(new RefusalError(refusal), undefined);
    });
  };
}
