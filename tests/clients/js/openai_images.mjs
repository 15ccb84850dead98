// OpenAI's own client for JavaScript: generate, edit, remix, stream, models, errors.
import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import OpenAI, { toFile } from "openai";

const [folder] = process.argv.slice(2);
const client = new OpenAI(); // the base address is in the environment
const file = (name) => createReadStream(`${folder}/${name}.png`);
const uri = `data:image/png;base64,${(await readFile(`${folder}/ref.png`)).toString("base64")}`;
const size = ({ b64_json }) => {
  const bytes = Buffer.from(b64_json, "base64");
  return `${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`;
};

const made = await client.images.generate({ model: "portrayal", prompt: "in a park", n: 2, quality: "low",
  character_reference_image: uri });
assert.deepEqual(made.data.map(size), ["1024x1024", "1024x1024"]);
assert.equal(made.data[0].identity.same_person, true);
const linked = await client.images.generate({ prompt: "x", response_format: "url", reference_image_urls: [uri] });
assert.equal((await fetch(linked.data[0].url)).headers.get("content-type"), "image/png");

const who = await client.images.edit({ image: file("ref"), prompt: "in a park", size: "1536x1024" });
assert.equal(size(who.data[0]), "1248x832");
const edited = await client.images.edit({ image: [file("scene"), file("ref")], mask: file("mask"), prompt: "a hat" });
assert.equal(size(edited.data[0]), "320x256");
const named = await client.images.edit({ image: await toFile(file("scene"), "scene.png"), mask: file("mask"),
  prompt: "a hat", character_reference_image: uri });
assert.equal(size(named.data[0]), "320x256");
const remixed = await client.images.edit({ image: [file("scene"), file("ref")], prompt: "as a painting",
  operation: "remix", strength: 0.8 });
assert.equal(size(remixed.data[0]), "320x256");

const types = [];
for await (const event of await client.images.generate({ prompt: "x", stream: true, character_reference_image: uri }))
  types.push(event.type);
assert.deepEqual(types, ["image_generation.completed"]);

const models = [];
for await (const model of await client.models.list()) models.push(model.id);
assert.deepEqual(models, ["portrayal", "ideogram-character"]);

await assert.rejects(client.images.generate({ prompt: "x", n: 10, character_reference_image: uri }),
  (error) => error instanceof OpenAI.BadRequestError && error.param === "n");
await assert.rejects(client.images.generate({ prompt: "x" }),
  (error) => error.status === 400 && error.param === "character_reference_image");
await assert.rejects(client.images.generate({ prompt: "FAIL", character_reference_image: uri }), /shall fail/);
console.log("all is well");
