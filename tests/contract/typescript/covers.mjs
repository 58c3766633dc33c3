// Whether the client uses each tag of the document:  covers.mjs OPENAPI CLIENT
import { readFileSync } from "node:fs";

const [document, client] = process.argv.slice(2).map((file) => readFileSync(file, "utf8"));
const used = new Set();
for (const [path, item] of Object.entries(JSON.parse(document).paths))
  for (const [method, operation] of Object.entries(item))
    if (client.includes(`api.${method.toUpperCase()}("${path}"`)) for (const tag of operation.tags ?? []) used.add(tag);
const unused = JSON.parse(document).tags.map((tag) => tag.name).filter((tag) => !used.has(tag));
if (unused.length > 0) {
  console.error(`the client uses no operation of ${unused.join(", ")}: add one to client.ts`);
  process.exit(1);
}
