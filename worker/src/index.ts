import { answerQuestion, passThrough } from "./answer";
import { readBody, readQuestion } from "./body";
import { canonicalJson } from "./canonical";
import { utf8 } from "./digest";
import { EdgeError } from "./errors";
import { Exchange } from "./exchange";
import { encodeIdentity } from "./identity";
import { matchRoute } from "./routes";
import type { Env } from "./settings";

/** The edge: route -> size cap -> grant -> canonical key -> look-up -> origin -> store. */
export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const exchange = new Exchange(request, env, ctx);
    try {
      return exchange.finish(await answer(exchange));
    } catch (error) {
      return exchange.finish(refusal(error, exchange.id));
    }
  },
};

async function answer(exchange: Exchange): Promise<Response> {
  const { request, url } = exchange;
  const route = matchRoute(request.method, url.pathname);
  if (route === "alive") return Response.json({ status: "ok" });
  const body = await readBody(request, exchange.shared.settings.bodyLimitBytes);
  switch (route) {
    case "open":
      return passThrough(exchange, body, "");
    case "keyed":
      return passThrough(exchange, body, encodeIdentity(await exchange.grant(null)));
    default: {
      const question = readQuestion(request.headers.get("content-type"), body);
      const grant = await exchange.grant(question.model);
      if (question.model === null) return passThrough(exchange, utf8(canonicalJson(question.body)), encodeIdentity(grant));
      return answerQuestion(exchange, route, question, grant);
    }
  }
}

function refusal(error: unknown, id: string): Response {
  if (error instanceof EdgeError) return error.toResponse();
  console.error(`Request ${id} failed.`, error);
  return new EdgeError(500, "server_error", "internal_error", `The edge failed; its log knows more under ${id}.`).toResponse();
}
