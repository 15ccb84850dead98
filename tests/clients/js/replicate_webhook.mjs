// Checks a webhook as Replicate's documentation says: with the client, and the secret that the server gives.
import Replicate, { validateWebhook } from "replicate";

const [base, given] = process.argv.slice(2);
const { key } = await new Replicate({ auth: "r8_any", baseUrl: `${base}/v1` }).webhooks.default.secret.get();
const { id, timestamp, signature, body } = JSON.parse(given);
const good = await validateWebhook({ id, timestamp, signature, body, secret: key });
const bad = await validateWebhook({ id, timestamp, signature, body: body + " ", secret: key });
console.log(good, bad);
