// Draws diagrams: `node draw.mjs FROM TO NAME…` writes TO/NAME.svg from NAME.d2 and style.d2 in FROM.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { D2 } from "@terrastruct/d2";

const [from, to, ...names] = process.argv.slice(2);
const read = (name) => readFile(join(from, `${name}.d2`), "utf8");
const d2 = new D2();
for (const name of names) {
    const { diagram, renderOptions } = await d2.compile({
        fs: { [`${name}.d2`]: await read(name), "style.d2": await read("style") },
        inputPath: `${name}.d2`,
    });
    const drawn = await d2.render(diagram, { ...renderOptions, salt: name });
    await writeFile(join(to, `${name}.svg`), drawn);
}
process.exit(0); // its worker thread would wait for more
