// fal's own client for JavaScript: run, subscribe, queue, uploads, errors; by three ways to another address.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { ApiError, createFalClient, ValidationError } from "@fal-ai/client";

const [base, folder, way] = process.argv.slice(2);
const APP = "fal-ai/ideogram/character";
const hosts = way === "one" ? { "fal.run": "", "queue.fal.run": "", "rest.fal.ai": "" }
  : { "fal.run": "/run", "queue.fal.run": "/queue", "rest.fal.ai": "" };
const rewrite = async (request) => {
  const url = new URL(request.url);
  return { ...request, url: base + hosts[url.host] + url.pathname + url.search };
};
const fal = createFalClient({
  credentials: "any:key",
  ...(way === "proxy" ? { proxyUrl: { url: `${base}/api/fal/proxy`, when: "always" } }
    : { requestMiddleware: rewrite }),
});
const file = async (name) => new Blob([await readFile(`${folder}/${name}.png`)], { type: "image/png" });
const uri = `data:image/png;base64,${(await readFile(`${folder}/ref.png`)).toString("base64")}`;
const input = (prompt = "in a park", more = {}) => ({ prompt, reference_image_urls: [uri], ...more });
const isPicture = async ({ data, requestId }) => {
  const answer = await fetch(data.images[0].url);
  assert.equal(answer.headers.get("content-type"), "image/png");
  assert.equal(data.images[0].identity.same_person, true);
  assert.ok(requestId.length > 0);
};

const output = await fal.run(APP, { input: input() });
await isPicture(output);
assert.equal(output.data.request_id, undefined); // a run is a run, also at one address

const url = await fal.storage.upload(await file("ref"));
await isPicture(await fal.run(APP, { input: { prompt: "in a park", reference_image_urls: [url] } }));

// Files in the input are uploaded by the client itself.
await isPicture(await fal.subscribe(`${APP}/edit`, {
  input: { prompt: "a hat", reference_image_urls: [await file("ref")], image_url: await file("scene"),
    mask_url: await file("mask") },
}));

for (const mode of ["polling", "streaming"]) {
  const seen = [];
  const logs = [];
  let queued = "";
  await isPicture(await fal.subscribe(`${APP}/remix`, {
    input: input("WAIT", { image_url: uri }), mode, logs: true, pollInterval: 50,
    onEnqueue: (id) => { queued = id; },
    onQueueUpdate: (update) => {
      seen.push(update.status);
      if (update.logs) logs.push(...update.logs);
    },
  }));
  assert.equal(seen.at(-1), "COMPLETED");
  assert.ok(seen.includes("IN_PROGRESS"));
  assert.ok(logs.some(({ message }) => message.startsWith("started: remix")));
  assert.ok(queued.length > 0);
}

const { request_id: requestId } = await fal.queue.submit(APP, { input: input("WAIT"), priority: "low" });
assert.match((await fal.queue.status(APP, { requestId, logs: true })).status, /IN_QUEUE|IN_PROGRESS/);
assert.equal((await fal.queue.subscribeToStatus(APP, { requestId, pollInterval: 50 })).status, "COMPLETED");
await isPicture(await fal.queue.result(APP, { requestId }));

const slow = await fal.queue.submit(APP, { input: input("SLOW") });
await fal.queue.cancel(APP, { requestId: slow.request_id });
await fal.queue.subscribeToStatus(APP, { requestId: slow.request_id, pollInterval: 50 });
await assert.rejects(fal.queue.result(APP, { requestId: slow.request_id }), (error) => {
  assert.ok(error instanceof ApiError);
  assert.equal(error.status, 499);
  assert.equal(error.requestId, slow.request_id);
  return true;
});

for (const call of [fal.run, fal.subscribe]) {
  await assert.rejects(call(APP, { input: { prompt: "in a park" } }), (error) => {
    assert.ok(error instanceof ValidationError);
    assert.equal(error.getFieldErrors("reference_image_urls")[0].type, "missing");
    return true;
  });
}
await assert.rejects(fal.subscribe(APP, { input: input("FAIL") }), ValidationError);
await assert.rejects(fal.storage.upload(new Blob(["no picture"], { type: "image/png" })), ApiError);

// Large files go in parts of 10 MB: more than the server takes, but it says so itself.
if (way === "rewrite") {
  await assert.rejects(fal.storage.upload(new Blob([new Uint8Array(91 * 1024 * 1024)])), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.status, 413);
    return true;
  });
}
console.log("good");
