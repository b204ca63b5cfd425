// Writes engine/src/schema.gen.ts: the shapes of the API, from its OpenAPI document.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const document = JSON.parse(await readFile("../docs/reference/openapi.json", "utf8"));
const shapes = { ...document, paths: {}, components: { schemas: document.components.schemas } };
const written = astToString(
  await openapiTS(shapes, {
    rootTypes: true,
    rootTypesNoSchemaPrefix: true,
    defaultNonNullable: false,
  }),
);
const head = "// Written by `npm run types` from docs/reference/openapi.json. Never edited.\n\n";
await writeFile(process.argv[2] ?? "engine/src/schema.gen.ts", head + written);
