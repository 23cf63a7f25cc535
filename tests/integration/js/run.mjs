// What the published JavaScript client does with the server.
// `node run.mjs URL` prints one JSON object: per scenario an empty text, or the error's stack.

import { scenarios as accounts } from "./accounts.mjs";
import { scenarios as files } from "./files.mjs";
import { scenarios as records } from "./scenarios.mjs";
import { scenarios as streams } from "./streams.mjs";

const outcome = {};
for (const [name, scenario] of Object.entries({ ...records, ...accounts, ...files, ...streams })) {
  try {
    await scenario();
    outcome[name] = "";
  } catch (error) {
    outcome[name] = error.stack ?? String(error);
  }
}
console.log(JSON.stringify(outcome));
process.exit(0); // open streams would keep it running
