// Pictures as data become a FileOutput, also over plain http.
import { readFile } from "node:fs/promises";
import Replicate from "replicate";

const [base, folder, key] = process.argv.slice(2);
const replicate = new Replicate({ auth: key, baseUrl: `${base}/v1` });
const output = await replicate.run("ideogram-ai/ideogram-character", {
  input: { prompt: "in a park", character_reference_image: await readFile(`${folder}/ref.png`) },
});
const bytes = Buffer.from(await (await output.blob()).arrayBuffer());
console.log(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`);
