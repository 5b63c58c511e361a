// The load of `benchmarks.edge`, the same for every target. Reads one JSON request from stdin, writes one result.
//   {"mode": "closed", url, connections, seconds, body, unique, headers}   as fast as so many connections go
//   {"mode": "open", url, rate, seconds, body, unique, headers}            so many requests a second, late or not
//   {"mode": "streams", url, count, body, headers}                         so many streams at once
// `unique` puts a number into the question, so that no cache knows it. Times are in milliseconds.
import http from "node:http";
import { URL } from "node:url";

const job = JSON.parse(await text(process.stdin));
const target = new URL(job.url);
const agent = new http.Agent({ keepAlive: true, maxSockets: job.connections ?? Infinity, noDelay: true });
const now = () => Number(process.hrtime.bigint()) / 1e6;
let number = job.first ?? 0;

const result = { closed, open, streams }[job.mode];
console.log(JSON.stringify(await result()));
process.exit(0);

async function closed() {
  const times = [];
  const failed = {};
  const warm = now() + (job.warm ?? 0.5) * 1000;
  const end = warm + job.seconds * 1000;
  const client = async () => {
    while (now() < end) {
      const begun = now();
      const status = await ask();
      if (begun >= warm) count(status, now() - begun, times, failed);
    }
  };
  await Promise.all(Array.from({ length: job.connections }, client));
  return { ...summary(times), failed, rate: times.length / job.seconds };
}

async function open() {
  const times = [];
  const failed = {};
  const all = [];
  const begun = now();
  for (let turn = 0; turn < job.rate * job.seconds; turn++) {
    const due = begun + (turn / job.rate) * 1000;
    const wait = due - now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    // From when it was due: what waits for the load tool has waited too, at every target alike.
    all.push(ask().then((status) => count(status, now() - due, times, failed)));
  }
  await Promise.all(all);
  return { ...summary(times), failed };
}

async function streams() {
  const begun = now();
  const all = await Promise.all(Array.from({ length: job.count }, () => readStream()));
  const whole = all.filter((one) => one.whole);
  return {
    whole: whole.length,
    total: summary(whole.map((one) => one.total)),
    first: summary(whole.map((one) => one.first)),
    lag: summary(whole.flatMap((one) => one.lags)),
    seconds: (now() - begun) / 1000,
  };
}

function count(status, took, times, failed) {
  if (status === 200) times.push(took);
  else failed[status] = (failed[status] ?? 0) + 1;
}

function payload() {
  return JSON.stringify(job.unique ? JSON.parse(JSON.stringify(job.body).replaceAll("NUMBER", String(number++))) : job.body);
}

function request(body, onResponse, onError) {
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body), ...job.headers };
  const sent = http.request({ agent, host: target.hostname, port: target.port, path: target.pathname, method: "POST", headers }, onResponse);
  sent.on("error", onError);
  sent.end(body);
}

function ask() {
  return new Promise((resolve) => {
    request(
      payload(),
      (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode));
        response.on("error", () => resolve("broken"));
      },
      (error) => resolve(error.code ?? "error"),
    );
  });
}

function readStream() {
  const begun = now();
  const seen = { whole: false, first: 0, total: 0, lags: [] };
  return new Promise((resolve) => {
    request(
      payload(),
      (response) => {
        let kept = "";
        response.setEncoding("utf8");
        response.on("data", (piece) => {
          const at = Number(process.hrtime.bigint() / 1000n);
          seen.first ||= now() - begun;
          kept += piece;
          const lines = kept.split("\n");
          kept = lines.pop();
          for (const line of lines) {
            // Each token is the time at which the origin wrote it, by the clock of this machine.
            const written = /"content":"(\d+) "/.exec(line)?.[1];
            if (written) seen.lags.push((at - Number(written)) / 1000);
            if (line === "data: [DONE]") seen.whole = true;
          }
        });
        response.on("end", () => resolve({ ...seen, total: now() - begun }));
        response.on("error", () => resolve(seen));
      },
      () => resolve(seen),
    );
  });
}

function summary(times) {
  const sorted = [...times].sort((one, other) => one - other);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: sorted.at(-1) ?? null };
}

async function text(stream) {
  let all = "";
  for await (const piece of stream) all += piece;
  return all;
}
