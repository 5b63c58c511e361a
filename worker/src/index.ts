import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import { answerModels, answerQuestion, passQuestion, passThrough } from "./answers";
import { readBody, readQuestion } from "./body";
import { Ledger } from "./budget";
import { canonicalJson } from "./canonical";
import { isPreflight, preflight } from "./cors";
import { EdgeError } from "./errors";
import { Exchange } from "./exchange";
import { type Granted, noGrant } from "./grant";
import { encodeIdentity } from "./identity";
import { findRoute, matchRoute } from "./routes";
import type { Amounts, Env, Lease, Limits } from "./settings";
import { answerBehindCache, pathOfQuestion } from "./store/workers_cache";

/** The edge: route -> size cap -> grant -> brake and budget -> canonical key -> look-up -> origin -> store. */
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

/** Behind the platform's cache, if that is the store. Nothing but this Worker can call it. */
export class Answers extends WorkerEntrypoint<Env> {
  override async fetch(request: Request): Promise<Response> {
    const url = new URL(pathOfQuestion(request), request.url);
    const exchange = new Exchange(new Request(url, request), this.env, this.ctx);
    try {
      return await answerBehindCache(request, exchange);
    } catch (error) {
      const response = refusal(error, exchange.id);
      response.headers.set("cache-control", "no-store");
      return response;
    }
  }
}

/** The budget of one tenant, for all places. A minute's count is not worth a disk: a restart forgives it. */
export class Budget extends DurableObject<Env> {
  private readonly ledger = new Ledger();

  lease(limits: Limits, wanted: Amounts): Lease {
    return this.ledger.lease(limits, wanted, Date.now());
  }
}

async function answer(exchange: Exchange): Promise<Response> {
  const { request, url } = exchange;
  const { settings } = exchange.shared;
  if (isPreflight(request, settings.corsOrigins)) return preflight(findRoute(url.pathname));
  const kind = matchRoute(request.method, url.pathname);
  if (kind === "alive") return Response.json({ status: "ok" });
  const body = await readBody(request, kind === "documents" ? settings.uploadLimitBytes : settings.bodyLimitBytes);
  switch (kind) {
    case "open":
      return passThrough(exchange, body, "", null);
    case "documents":
    case "keyed": {
      const { grant } = confirmed(await exchange.grant(null));
      return passThrough(exchange, body, encodeIdentity(grant), grant.tenant);
    }
    case "models":
      return answerModels(exchange, confirmed(await exchange.grant(null)));
    default: {
      const question = readQuestion(request.headers.get("content-type"), body);
      const granted = await exchange.grant(question.model);
      if (question.model === null) return passQuestion(exchange, canonicalJson(question.body), confirmed(granted));
      return answerQuestion(exchange, kind, question, granted);
    }
  }
}

/** What is not stored may not rest on an old grant. */
function confirmed(granted: Granted): Granted {
  if (!granted.confirmed) throw noGrant();
  return granted;
}

function refusal(error: unknown, id: string): Response {
  if (error instanceof EdgeError) return error.toResponse();
  console.error(`Request ${id} failed.`, error);
  return new EdgeError(500, "server_error", "internal_error", `The edge failed; its log knows more under ${id}.`).toResponse();
}
