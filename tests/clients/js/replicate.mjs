// Replicate's own client for JavaScript: run, predictions, files, errors.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import Replicate from "replicate";

const [base, folder, hook] = process.argv.slice(2);
const MODEL = "ideogram-ai/ideogram-character";
const VERSION = "1f8e198263a0d8171b76c55907c294e933e1e7d55e2d0c54f319c0e4a42c723d";
const replicate = new Replicate({ auth: "r8_any", baseUrl: `${base}/v1` });
const file = (name) => readFile(`${folder}/${name}.png`);
const uri = `data:image/png;base64,${(await file("ref")).toString("base64")}`;
const input = (more = {}) => ({ prompt: "in a park", character_reference_image: uri, ...more });

// An output over plain http stays a string; its address needs no key.
const output = await replicate.run(MODEL, { input: input({ aspect_ratio: "16:9" }) });
const answer = await fetch(output);
assert.equal(answer.headers.get("content-type"), "image/png");

// Buffers are uploaded; with an image and a mask it is an edit.
const edited = await replicate.run(`${MODEL}:${VERSION}`, {
  input: { prompt: "a hat", character_reference_image: await file("ref"), image: await file("scene"),
    mask: new Blob([await file("mask")]) },
});
assert.match(edited, /^http/);

const seen = [];
await replicate.run(MODEL, { input: input({ prompt: "WAIT" }), wait: { mode: "poll", interval: 50 } },
  (prediction) => seen.push(prediction.status));
assert.equal(seen.at(-1), "succeeded");
assert.match(await replicate.run(MODEL, { input: input({ prompt: "WAIT" }), wait: { mode: "block", timeout: 1 } }),
  /^http/);

const created = await replicate.predictions.create({ model: MODEL, input: input({ prompt: "WAIT" }) });
const done = await replicate.wait(created, { interval: 50 });
assert.equal(done.status, "succeeded");
assert.equal(done.metrics.identity_score, 0.86);
assert.equal(done.identity.same_person, true);
assert.ok((await replicate.predictions.list()).results.some(({ id }) => id === done.id));
for await (const page of replicate.paginate(replicate.predictions.list)) assert.ok(page.length > 0);

const slow = await replicate.predictions.create({ version: VERSION, input: input({ prompt: "SLOW" }), wait: 1 });
assert.equal(slow.status, "starting");
assert.equal((await replicate.predictions.cancel(slow.id)).status, "canceled");
const deployed = await replicate.deployments.predictions.create("acme", "faces", { input: input(), wait: true });
assert.equal(deployed.status, "succeeded");

const upload = await replicate.files.create(await file("ref"), { of: "me" });
assert.equal(upload.content_type, "image/png");
assert.deepEqual(upload.metadata, { of: "me" });
assert.equal((await replicate.files.get(upload.id)).etag, upload.etag);
assert.ok((await replicate.files.list()).results.some(({ id }) => id === upload.id));
assert.match(await replicate.run(MODEL, { input: input({ character_reference_image: upload.urls.get }) }), /^http/);
assert.equal(await replicate.files.delete(upload.id), true);

assert.equal((await replicate.models.get("ideogram-ai", "ideogram-character")).latest_version.id, VERSION);
assert.equal((await replicate.models.versions.list("ideogram-ai", "ideogram-character")).results[0].id, VERSION);
assert.equal((await replicate.accounts.current()).username, "main");

await assert.rejects(replicate.run(MODEL, { input: input({ seed: -1 }) }),
  ({ name, response, message }) => name === "ApiError" && response.status === 422 && /input\.seed/.test(message));
await assert.rejects(replicate.run("other/model", { input: input() }), ({ response }) => response.status === 404);
await assert.rejects(replicate.run(MODEL, { input: input({ prompt: "FAIL" }) }), /Prediction failed: .*shall fail/);

await replicate.predictions.create({ model: MODEL, input: input(), webhook: hook, webhook_events_filter: ["completed"] });
console.log("all is well");
