// The origin of `benchmarks.edge`: speaks the contract as far as speed needs it (grants, echo, answers, streams), and
// plain OpenAI for peers. Arguments: port. What a question asks for stands in it: `delay=20`, `tokens=40`, `gap=50`.
import http from "node:http";

const port = Number(process.argv[2] ?? 0);
const words = "The torque is forty newton metres, as the manual says in its second chapter. ".repeat(7);
let answers = 0;

const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const body = parts.length ? JSON.parse(Buffer.concat(parts)) : {};
    if (request.url === "/internal/grant") return json(response, grant(body));
    const question = body.messages?.at(-1)?.content ?? "";
    const number = (name, fallback) => Number(new RegExp(`${name}=(\\d+)`).exec(question)?.[1] ?? fallback);
    const who = identity(request);
    // The answer says whose it is, so that one that crossed can be told.
    const text = `${question} | ${who} | ${++answers} | ${words}`;
    if (body.stream) return stream(response, text, number("tokens", 40), number("gap", 50));
    setTimeout(() => json(response, completion(text), echo()), number("delay", 0));
  });
});

function grant({ key_sha256, token, model }) {
  const holder = `k_${(key_sha256 ?? token ?? "").slice(0, 12)}`;
  const tenant = `t_${(key_sha256 ?? "0").slice(0, 1)}`;
  const named = model === null ? "" : model.split("@")[0];
  const live = { knowledge_base: named, channel: named && "live", recipe: named && "r1", release: named && "x1", generation: named ? 1 : 0 };
  return { tenant, key_id: holder, scopes: ["read"], principals: ["public", `user:${holder}`].sort(), ...live };
}

function identity(request) {
  const header = request.headers["x-jargonaut-identity"];
  if (header) return JSON.parse(Buffer.from(header, "base64url")).key_id;
  return request.headers.authorization ?? "nobody";
}

function echo() {
  return {
    "x-jargonaut-knowledge-base": "handbook",
    "x-jargonaut-channel": "live",
    "x-jargonaut-recipe": "r1",
    "x-jargonaut-release": "x1",
    "x-jargonaut-generation": "1",
    "x-jargonaut-store": "yes",
  };
}

function completion(content) {
  const choice = { index: 0, message: { role: "assistant", content }, finish_reason: "stop" };
  const usage = { prompt_tokens: 10, completion_tokens: 100, total_tokens: 110 };
  return { id: "chatcmpl-1", object: "chat.completion", created: 1764000000, model: "handbook", choices: [choice], usage };
}

function json(response, value, headers = {}) {
  const body = JSON.stringify(value);
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body), ...headers });
  response.end(body);
}

function stream(response, text, tokens, gap) {
  response.writeHead(200, { "content-type": "text/event-stream", ...echo() });
  let sent = 0;
  const chunk = (choice) => response.write(`data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "handbook", choices: [choice] })}\n\n`);
  const timer = setInterval(() => {
    if (sent++ < tokens) return chunk({ index: 0, delta: { content: `${process.hrtime.bigint() / 1000n} ` }, finish_reason: null });
    clearInterval(timer);
    chunk({ index: 0, delta: {}, finish_reason: "stop" });
    response.end("data: [DONE]\n\n");
  }, gap);
  response.on("close", () => clearInterval(timer));
}

server.keepAliveTimeout = 60_000;
server.listen(port, "127.0.0.1", () => console.log(server.address().port));
process.on("SIGTERM", () => process.exit(0));
